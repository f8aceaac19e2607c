// What nobody foresaw, as an error that callers know: a bug, ours or in what a user handed us, ends one piece of work
// and no loop that others live on.
import { isMinikafkaError, MinikafkaError } from '@minikafka/protocol'

/** `what` completes "... failed unexpectedly". `outcome`: of a write, where it is surer than the error's own. */
export function knownError(
  cause: unknown,
  what: string,
  outcome?: 'not-written' | 'unknown',
): MinikafkaError {
  if (isMinikafkaError(cause)) return cause
  const message = `${what} failed unexpectedly: ${wordsOf(cause)}`
  return new MinikafkaError('UNKNOWN_SERVER_ERROR', { message, outcome }, { cause })
}

function wordsOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
