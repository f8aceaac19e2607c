/** The command line cannot be understood, or not carried out as it stands. */
export class UsageError extends Error {
  override name = 'UsageError'
}
