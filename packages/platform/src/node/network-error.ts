// From what `node:net` throws to what the `network` port promises.
import { NetworkError } from '../env.ts'

/** `what` happened to it, as `connect host:port`. */
export function networkErrorOf(error: Error, what?: string): NetworkError {
  if (error instanceof NetworkError) return error
  const code = codeOf(error)
  // Where several addresses of a name were tried, the error that holds theirs has no text.
  const message = what === undefined ? error.message : `${what}: ${code}`
  return new NetworkError(code, message, { cause: error })
}

/** Node has codes of its own for a stream that is closed or has ended. */
function codeOf(error: Error): string {
  const { code = 'ECONNRESET' } = error as NodeJS.ErrnoException
  return code.startsWith('ERR_STREAM_') ? 'EPIPE' : code
}
