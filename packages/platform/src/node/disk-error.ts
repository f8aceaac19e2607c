// Errors of node:fs as errors of the port.
import { DiskError } from '../env.ts'

export function diskError(error: unknown, path: string): DiskError {
  if (error instanceof DiskError) return error
  const { code = 'EIO', message } = error as NodeJS.ErrnoException
  return new DiskError(code, message, path, { cause: error })
}
