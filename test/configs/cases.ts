/** What a row of the table says: which configuration, what goes in, what must come out. */
import type { Input } from './inputs.ts';
import type { Output } from './outputs.ts';

/** See above. */
export interface Case {
  /** `NAME.properties`. */
  readonly file: string;
  /** Read after it. */
  readonly more?: string;
  /** Default `a1`. */
  readonly agent?: string;
  /** As `forebay agent`, a process of its own. */
  readonly isProcess?: boolean;
  readonly environment?: Readonly<Record<string, string>>;
  /** `-Dkey=value`. */
  readonly system?: Readonly<Record<string, string>>;
  /** What is there before it starts. */
  readonly before?: readonly Input[];
  /** One after the other. */
  readonly in: readonly Input[];
  readonly out: readonly Output[];
  /** Of `config check`, each by how it begins. Default none. */
  readonly warnings?: readonly string[];
  /** What components say above `info`, once or more, each by how it begins. Default nothing. */
  readonly says?: readonly string[];
}
