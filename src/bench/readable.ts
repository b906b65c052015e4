/** Figures as people read them in tables. */

/** `1,234,567`, `12.3`, `0.12`: three digits at least, no more than tell anything. `–` where there is none. */
export function readable(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return '–';
  if (value === 0) return '0';
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : 3;
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
