// How a command may end, and with which exit code. Enters: what was thrown. Leaves: lines for stderr and a code.
import { type ErrorName, isMinikafkaError } from '@minikafka/client'
import { EXIT, type ExitCode, Failure, SeveralFailures } from './failures.ts'
import { UsageError } from './usage-error.ts'

export type Ending = { readonly code: number; readonly lines: readonly string[] }

export function endingOf(error: unknown): Ending {
  if (error instanceof SeveralFailures) {
    const endings = error.failures.map(endingOf)
    return { code: endings[0]?.code ?? EXIT.failed, lines: endings.flatMap(({ lines }) => lines) }
  }
  // Whoever read our output has enough of it.
  if (isBrokenPipe(error)) return { code: EXIT.done, lines: [] }
  return { code: codeOf(error), lines: [textOf(error)] }
}

export function isBrokenPipe(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EPIPE'
}

/** The exit code of one error. */
export function codeOf(error: unknown): ExitCode {
  if (error instanceof UsageError) return EXIT.usage
  if (error instanceof Failure) return error.exitCode
  if (!isMinikafkaError(error)) return EXIT.failed
  return CODES.get(error.name) ?? EXIT.failed
}

const CODES: ReadonlyMap<ErrorName, ExitCode> = new Map([
  ['UNKNOWN_TOPIC_OR_PARTITION', EXIT.notFound],
  ['UNKNOWN_TOPIC_ID', EXIT.notFound],
  ['GROUP_ID_NOT_FOUND', EXIT.notFound],
  ['UNKNOWN_MEMBER_ID', EXIT.notFound],
  ['TIMED_OUT', EXIT.timedOut],
  ['REQUEST_TIMED_OUT', EXIT.timedOut],
  ['DELIVERY_TIMED_OUT', EXIT.timedOut],
  ['INVALID_OPTION', EXIT.usage],
])

/** A sentence; of an error that nobody expected also where it comes from. */
export function textOf(error: unknown): string {
  if (error instanceof UsageError || error instanceof Failure) return error.message
  if (isMinikafkaError(error)) return withCause(error)
  return error instanceof Error ? `unexpected: ${error.stack ?? error.message}` : String(error)
}

/** Time that ran out says little without what went wrong meanwhile. */
function withCause(error: Error): string {
  const { cause } = error
  if (!isMinikafkaError(cause) || error.message.includes(cause.message)) return error.message
  return `${error.message}: ${cause.message}`
}
