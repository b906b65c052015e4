/** What keeps one file from being spooled: the file stays where it is, is named once, and the others go on. */

/** A sentence for the operator: what is wrong with the file, and what to do. */
export class FileProblem extends Error {
  override readonly name = 'FileProblem';
  /** A path that is in the way: when it is gone, all may be well. */
  readonly blockedBy: string | undefined;

  constructor(message: string, options: { readonly cause?: unknown; readonly blockedBy?: string } = {}) {
    super(message, options);
    this.blockedBy = options.blockedBy;
  }
}
