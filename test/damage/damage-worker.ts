/** Tries a share of all damages of one kind in a process of its own: `PLAN KIND PART PARTS`; answers one JSON line. */
import { buildReferenceLog } from './reference-log.ts';
import { type DamageKind, logPlans, unitsOf } from './units.ts';

const failuresMax = 5;

const [plan, kind, part, parts] = process.argv.slice(2) as [keyof typeof logPlans, DamageKind, string, string];
const units = unitsOf(await buildReferenceLog(logPlans[plan]), kind);
const failures: string[] = [];
let tried = 0;
for (let index = Number(part); index < units.count && failures.length < failuresMax; index += Number(parts)) {
  const unit = units.at(index);
  try {
    await unit.run();
  } catch (error) {
    failures.push(`${unit.name}: ${error instanceof Error ? error.message : String(error)}`);
  }
  tried += 1;
}
console.log(JSON.stringify({ tried, failures }));
