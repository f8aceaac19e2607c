// Makes a directory that survives a power cut. Enters: a path. Leaves: the directory, and its name in the one above.
import type { Disk } from '@minikafka/platform'

/** Errors: DiskError. Holds: every directory that was made is entered durably in its parent. */
export async function makeDirectoryDurably(disk: Disk, path: string): Promise<void> {
  const missing: string[] = []
  let existing = path
  while (!isRoot(existing) && (await disk.stat(existing)) === undefined) {
    missing.push(existing)
    existing = parentOf(existing)
  }
  await disk.makeDirectory(path)
  for (const made of missing.reverse()) await disk.syncDirectory(parentOf(made))
}

function isRoot(path: string): boolean {
  return path === '/' || path === '.'
}

function parentOf(path: string): string {
  const trimmed = path.replace(/\/+$/, '')
  const slash = trimmed.lastIndexOf('/')
  if (slash === -1) return '.'
  return slash === 0 ? '/' : trimmed.slice(0, slash)
}
