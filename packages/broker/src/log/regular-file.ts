// Looks before it leaps: reading a FIFO would wait for ever, a link leads elsewhere (SECURITY, row 61).
import type { Disk } from '@minikafka/platform'
import { EXIT, StartError } from './start-error.ts'

/** Size of a file of ours; undefined where there is none. */
export async function regularFileSize(disk: Disk, path: string): Promise<number | undefined> {
  const stat = await disk.stat(path)
  if (stat === undefined || stat.kind === 'file') return stat?.size
  throw new StartError(
    EXIT.io,
    path,
    'is no regular file; a broker does not follow links here. Move it away.',
  )
}
