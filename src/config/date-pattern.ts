/** Java's date patterns (SimpleDateFormat) as `${date:…}` uses them: the numeric letters; others are refused. */

/** What came out, or which letter cannot be done. */
export type FormattedDate = { readonly text: string } | { readonly problem: string };

const fields: Readonly<Record<string, (time: Date) => number>> = {
  M: (time) => time.getMonth() + 1,
  d: (time) => time.getDate(),
  H: (time) => time.getHours(),
  k: (time) => time.getHours() || 24,
  K: (time) => time.getHours() % 12,
  h: (time) => time.getHours() % 12 || 12,
  m: (time) => time.getMinutes(),
  s: (time) => time.getSeconds(),
  S: (time) => time.getMilliseconds(),
};

/** `time` in the local zone. `''` is a quote, `'…'` is literal. */
export function formatDate(pattern: string, time: Date): FormattedDate {
  let text = '';
  for (const [piece] of pattern.matchAll(/'(?:[^']|'')*'?|([A-Za-z])\1*|[^A-Za-z']+/g)) {
    const letter = piece[0] as string;
    if (letter === "'") {
      if (piece.length === 1 || !piece.endsWith("'")) return { problem: 'a quote in the date pattern is not closed' };
      text += piece === "''" ? "'" : piece.slice(1, -1).replaceAll("''", "'");
    } else if (letter === 'y') {
      const year = String(time.getFullYear());
      text += piece.length === 2 ? year.slice(-2) : year.padStart(piece.length, '0');
    } else if (/[A-Za-z]/.test(letter)) {
      const field = fields[letter];
      if (field === undefined || (letter === 'M' && piece.length > 2)) {
        return {
          problem: `'${piece}' of the date pattern is not supported: y M d H k K h m s S are, months as numbers`,
        };
      }
      text += String(field(time)).padStart(piece.length, '0');
    } else text += piece;
  }
  return { text };
}
