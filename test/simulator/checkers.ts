/** What must hold after any crash, by name, and how a violation of it is told. */

/** The properties; docs/durability.md explains them. */
const checkerNames = [
  'acked-is-durable',
  'delivered-is-durable',
  'taken-stays-taken',
  'prepared-survives',
  'nothing-invented',
  'all-or-nothing',
  'not-stored-is-absent',
  'order-kept',
  'sequences-never-reused',
  'counters-add-up',
  'no-false-damage',
  'opens-always',
  'goes-on',
  'space-returns',
] as const;
/** One of them. */
export type CheckerName = (typeof checkerNames)[number];

/** A property that did not hold. */
export interface Violation {
  readonly checker: CheckerName;
  readonly text: string;
}

/** Collects violations; nothing throws, so that the simulated process goes on as it would. */
export class Findings {
  readonly violations: Violation[] = [];

  report(checker: CheckerName, text: string): void {
    this.violations.push({ checker, text });
  }
}
