/** Makes an interceptor out of a configuration's texts, as the agent does. */
import type {
  ComponentContext,
  Interceptor,
  InterceptorDefinition,
  KeyProblem,
  LogFields,
} from '../../../src/agent/contracts/components.ts';
import type { Keys } from '../../../src/agent/contracts/keys.ts';
import { readKeys } from '../../../src/agent/contracts/read-keys.ts';
import type { Event } from '../../../src/engine.ts';
import { ManualClock } from '../../support/manual-clock.ts';

/** A context that keeps its warnings. */
export interface TestContext extends ComponentContext {
  readonly clock: ManualClock;
  readonly warnings: { readonly text: string; readonly fields: LogFields | undefined }[];
}

/** With a clock that stands still. */
export function testContext(): TestContext {
  const warnings: TestContext['warnings'] = [];
  const log = {
    info: () => undefined,
    warn: (text: string, fields?: LogFields) => void warnings.push({ text, fields }),
    error: () => undefined,
  };
  return { name: 'i1', log, clock: new ManualClock(), count: () => undefined, warnings };
}

/** All that is wrong with the texts. */
export function problemsOf<Declared extends Keys>(
  definition: InterceptorDefinition<Declared>,
  properties: Record<string, string>,
): readonly KeyProblem[] {
  const { values, problems } = readKeys(definition.keys, new Map(Object.entries(properties)));
  return values === undefined ? problems : (definition.check?.(values) ?? []);
}

/** Throws where the texts are wrong. */
export function makeInterceptor<Declared extends Keys>(
  definition: InterceptorDefinition<Declared>,
  properties: Record<string, string> = {},
  context: ComponentContext = testContext(),
): Interceptor {
  const [problem] = problemsOf(definition, properties);
  if (problem !== undefined) throw new Error(`${problem.key}: ${problem.message}`);
  const { values } = readKeys(definition.keys, new Map(Object.entries(properties)));
  if (values === undefined) throw new Error('no values');
  return definition.create(values, context);
}

/** An event of a text. */
export function eventOf(body: string, headers: Record<string, string> = {}): Event {
  return { headers, body: Buffer.from(body) };
}
