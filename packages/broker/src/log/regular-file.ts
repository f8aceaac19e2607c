// Looks before it leaps: reading a FIFO would wait for ever, a link leads elsewhere (SECURITY, row 61).
import { type Disk, DiskError } from '@minikafka/platform'
import { EXIT, StartError } from './start-error.ts'

/** Size of a file of ours; undefined where there is none. */
export async function regularFileSize(disk: Disk, path: string): Promise<number | undefined> {
  const stat = await disk.stat(path)
  if (stat === undefined || stat.kind === 'file') return stat?.size
  throw notRegular(path)
}

/** Content of a file of ours, without a look first: a start with thousands of partitions has thousands. */
export async function readRegularFile(disk: Disk, path: string): Promise<Buffer | undefined> {
  try {
    return await disk.readFile(path)
  } catch (error) {
    const refused = ['ELOOP', 'ENXIO', 'EISDIR']
    if (error instanceof DiskError && refused.includes(error.code)) throw notRegular(path)
    throw error
  }
}

function notRegular(path: string): StartError {
  return new StartError(
    EXIT.io,
    path,
    'is no regular file; a broker does not follow links here. Move it away.',
  )
}
