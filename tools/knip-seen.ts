/** A knip reporter that says how many files it looked at, so that `npm run check` can tell green from blind. */

/** What knip hands to a reporter, as far as it is used here. */
interface KnipResult {
  readonly counters: { readonly processed: number };
}

/** knip's `--reporter` takes the default export. */
export default function reportSeen({ counters }: KnipResult): void {
  console.log(`knip saw ${counters.processed} files`);
}
