/** Names of rolled files, as Flume's path managers make them. */
import type { Clock } from '../../../engine.ts';

/** What names are made of. */
interface FileNameParts {
  /** `DEFAULT`: the time at which the sink was made and a number. `ROLLTIME`: the file's own time, and a number. */
  readonly manager: 'DEFAULT' | 'ROLLTIME';
  readonly prefix: string;
  /** Without its dot; empty for none. */
  readonly extension: string;
  readonly clock: Clock;
}

/** Gives a new name at each call: `<prefix><time>-<n>[.extension]`. */
export function fileNames({ manager, prefix, extension, clock }: FileNameParts): () => string {
  const startedAt = String(clock.wallMs());
  let time = startedAt;
  let number = 0;
  return () => {
    if (manager === 'ROLLTIME') {
      const now = secondsText(new Date(clock.wallMs()));
      if (now !== time) number = 0;
      time = now;
    }
    number += 1;
    return `${prefix}${time}-${number}${extension === '' ? '' : `.${extension}`}`;
  };
}

/** `yyyyMMddHHmmss` in the zone of the process. */
function secondsText(date: Date): string {
  const parts = [date.getMonth() + 1, date.getDate(), date.getHours(), date.getMinutes(), date.getSeconds()];
  const year = String(date.getFullYear()).padStart(4, '0');
  return year + parts.map((part) => String(part).padStart(2, '0')).join('');
}
