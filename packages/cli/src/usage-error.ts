// What ends a command before its work: a usage error (exit 2), a thing that is not there (3), time that ran out (4).

export const EXIT = { done: 0, failed: 1, usage: 2, notFound: 3, timedOut: 4 } as const

/** The command line cannot be understood or carried out as it stands. */
export class UsageError extends Error {
  override name = 'UsageError'
}
