/** Whole pages that are not what was written: zeros, another page's bytes, garbage, two that changed places. */
import { pageBytes } from '../../src/base/disk.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { checkFiles } from './flip-check.ts';
import type { ReferenceLog } from './reference-log.ts';
import { type Outcome, withBytes } from './trial.ts';

/** What becomes of a page; the others are page numbers. */
export type PageFault =
  | { readonly kind: 'zero' | 'garbage'; readonly page: number }
  | { readonly kind: 'swap'; readonly page: number; readonly other: number }
  | { readonly kind: 'copy'; readonly page: number; readonly other: number }
  /** Both header pages. */
  | { readonly kind: 'headers' };

/** Every fault of the segment at `path` that changes something: pairs of pages are neighbours, or the first group. */
export function pageFaults(reference: ReferenceLog, path: string): PageFault[] {
  const pages = (reference.segments.find((segment) => segment.path === path)?.end ?? 0) / pageBytes;
  const faults: PageFault[] = [{ kind: 'headers' }];
  for (let page = 0; page < pages; page++) {
    faults.push({ kind: 'zero', page }, { kind: 'garbage', page });
    for (const other of new Set([page + 1, 0, 2, pages - 1])) {
      if (other === page || other >= pages) continue;
      faults.push({ kind: 'swap', page, other }, { kind: 'copy', page, other });
    }
  }
  return faults;
}

/** Opens with the fault, and judges. */
export async function checkPageFault(
  reference: ReferenceLog,
  path: string,
  fault: PageFault,
  withCheckpoint: boolean,
): Promise<Outcome> {
  const files = withBytes(reference.files, path, (bytes) => {
    const pageOf = (page: number) => bytes.subarray(page * pageBytes, (page + 1) * pageBytes);
    if (fault.kind === 'headers') bytes.fill(0, 0, 2 * pageBytes);
    else if (fault.kind === 'zero') pageOf(fault.page).fill(0);
    else if (fault.kind === 'garbage') new SeededRandom(fault.page).bytes(pageBytes).copy(pageOf(fault.page));
    else if (fault.kind === 'swap' || fault.kind === 'copy') {
      const kept = Buffer.from(pageOf(fault.page));
      pageOf(fault.other).copy(pageOf(fault.page));
      if (fault.kind === 'swap') kept.copy(pageOf(fault.other));
    }
    return bytes;
  });
  const { outcome } = await checkFiles(reference, files, withCheckpoint, 1);
  return outcome;
}
