// Errors of node:net as errors of the port.
import { NetworkError } from '../env.ts'

export function networkError(error: Error): NetworkError {
  if (error instanceof NetworkError) return error
  const { code = 'ECONNRESET' } = error as NodeJS.ErrnoException
  return new NetworkError(code, error.message, { cause: error })
}
