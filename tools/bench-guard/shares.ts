/** The arithmetic of the regression guard: shares of the disk's own rate, and which of them fell. */

/** A work's part of what the disk does by itself, 0 to 1 and above. */
export interface Share {
  readonly name: string;
  readonly share: number;
}

/** Of the share that was recorded, at least. */
const keptShareMin = 0.75;

/** Those of the rows that have one, each the better of itself and what was measured before. */
export function sharesOf(
  rows: readonly { readonly name: string; readonly share?: { readonly median: number } }[],
  before: readonly Share[] = [],
): Share[] {
  return rows.flatMap(({ name, share }) => {
    if (share === undefined) return [];
    const earlier = before.find((one) => one.name === name)?.share ?? 0;
    return [{ name, share: Math.max(share.median, earlier) }];
  });
}

/** Those more than a quarter below what was recorded, and those recorded that were not measured, as 0. */
export function fallen(measured: readonly Share[], recorded: readonly Share[]): Share[] {
  return recorded.flatMap(({ name, share }) => {
    const now = measured.find((one) => one.name === name)?.share ?? 0;
    return now < keptShareMin * share ? [{ name, share: now }] : [];
  });
}
