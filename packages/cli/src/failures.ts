// What a command throws where it cannot do its work, with the exit code of each.

export const EXIT = { done: 0, failed: 1, usage: 2, notFound: 3, timedOut: 4 } as const
export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** It did not work, for a reason that the sentence gives. */
export class Failure extends Error {
  override name = 'Failure'
  readonly exitCode: ExitCode

  constructor(message: string, exitCode: ExitCode = EXIT.failed, options?: ErrorOptions) {
    super(message, options)
    this.exitCode = exitCode
  }
}

/** The input does not fit from here on; what came before it does. */
export class BadInput extends Failure {
  override name = 'BadInput'
}

/** The first SIGINT or SIGTERM came before the work was done. */
export class Interrupted extends Failure {
  override name = 'Interrupted'
}

/** Of several things some failed; the exit code is that of the first. */
export class SeveralFailures extends Error {
  override name = 'SeveralFailures'
  readonly failures: readonly unknown[]

  constructor(failures: readonly unknown[]) {
    super('several failures')
    this.failures = failures
  }
}
