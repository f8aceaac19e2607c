// From what `node:fs` throws to what the `disk` port promises.
import { DiskError } from '../env.ts'

export function diskErrorOf(error: unknown, path: string): DiskError {
  if (error instanceof DiskError) return error
  const { code, message } = error as NodeJS.ErrnoException
  return new DiskError(code ?? 'EIO', message, path, { cause: error })
}

/** For an error that the system itself does not report here. */
export function newDiskError(code: string, what: string, path: string): DiskError {
  return new DiskError(code, `${code}: ${what}, '${path}'`, path)
}

/** Whatever the code was: ENOSPC and EDQUOT would say that the old file is in place, and it is not. */
export function replacedUnsynced(error: unknown, path: string): DiskError {
  const what = `replaced, but its directory was not synced (${(error as Error).message})`
  return new DiskError('EIO', `EIO: ${what}, '${path}'`, path, { cause: error })
}

export function hasCode(error: unknown, ...codes: string[]): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code !== undefined && codes.includes(code)
}

/** Settles as `work` does, its error turned into a DiskError that names `path`. */
export async function onPath<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw diskErrorOf(error, path)
  }
}
