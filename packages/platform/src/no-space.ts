// What a disk without room says: the file system is full, or a quota is used up.
import { DiskError } from './env.ts'

/** Somebody may free space, then it goes on: all other errors of a disk are for good. */
export function isNoSpace(error: unknown): error is DiskError {
  return error instanceof DiskError && (error.code === 'ENOSPC' || error.code === 'EDQUOT')
}
