// What can go wrong with one disk, as a test holds it; and a look at what is really on it.
// Enters: paths of the node. Leaves: bytes as reads show them, and as a power cut would leave them.
import { type Duration, durationMs } from '../duration.ts'
import type { DiskState, FullCode } from './disk-state.ts'
import type { FileImage } from './file-image.ts'

/** Faults to come and damage that is done. `heal` ends the former; only a new write mends the latter. */
export type DiskFaults = {
  /** Full but for `freeBytes` (default 0): writes fail with ENOSPC (default), or EDQUOT. */
  fill(freeBytes?: number, code?: FullCode): void
  /**
   * The next `count` (default 1) syncs fail with EIO and mark the pages clean: gone at the next power cut. With a
   * path, of the files there or below; without one, of any file.
   */
  failSync(count?: number, path?: string): void
  /** The same for syncs of directories: the names that they would have made durable are gone at the next power cut. */
  failDirectorySync(count?: number, path?: string): void
  /** The next writes fail with EIO; a part may have been written. */
  failWrite(count?: number, path?: string): void
  /** The next reads fail with EIO. */
  failRead(count?: number, path?: string): void
  /** Nothing that begins now is done before that time has passed. */
  stall(duration: Duration): void
  /** The next write to `path` lands over what stands in `to`, where there is something; its own place stays as it was. */
  misdirect(path: string, to: Place): void
  heal(): void

  /** Rot at rest: bit 0 to 7 of the byte at `position`. */
  flipBit(path: string, position: number, bit: number): void
  /** A latent sector error: reads of the 512 bytes around `position` fail with EIO until they are written again. */
  failSector(path: string, position: number): void
  /** Bytes that the platter changes by itself: zeros, or a piece of something else. The file does not grow. */
  overwrite(path: string, position: number, bytes: Uint8Array): void
  /** Keeps a copy of a file; `putBack` later puts it in place of what the file has become. */
  keep(path: string): { putBack(): void }
  /** A new disk, empty, is mounted at `directory`. Only while nothing runs on the node. */
  swap(directory: string): void

  /** All files, or those below a directory, by path. */
  files(below?: string): DiskFile[]
  /** What reads show, without faults; undefined: there is no such file. */
  read(path: string): Buffer | undefined
  /**
   * What was synced of it, found by names that were synced: a power cut leaves that, changed by whatever it keeps of
   * what happened since. Undefined: it was never synced, or it is there no more.
   */
  durable(path: string): Buffer | undefined
  /** A sync of a directory failed, and there was no power cut since: names are shown that are not on the disk. */
  namesLost(): boolean
}

export type Place = { readonly path: string; readonly position: number }

export type DiskFile = {
  readonly path: string
  readonly size: number
  readonly durableSize: number
  /** A power cut changes nothing of its content. */
  readonly settled: boolean
}

export function diskFaults(disk: DiskState, isRunning: () => boolean): DiskFaults {
  return { ...faultsToCome(disk), ...damage(disk, isRunning), ...looks(disk) }
}

function faultsToCome(disk: DiskState) {
  return {
    fill: (freeBytes = 0, code: FullCode = 'ENOSPC') => disk.fill(freeBytes, code),
    failSync: (count = 1, path?: string) => disk.failingFileSyncs.arm(count, path),
    failDirectorySync: (count = 1, path?: string) => disk.failingDirectorySyncs.arm(count, path),
    failWrite: (count = 1, path?: string) => disk.failingWrites.arm(count, path),
    failRead: (count = 1, path?: string) => disk.failingReads.arm(count, path),
    stall: (duration: Duration) => disk.stall(durationMs(duration)),
    misdirect(path: string, to: Place) {
      disk.misdirect(fileAt(disk, path), { image: fileAt(disk, to.path), position: to.position })
    },
    heal: () => disk.heal(),
  }
}

function damage(disk: DiskState, isRunning: () => boolean) {
  return {
    flipBit(path: string, position: number, bit: number) {
      byteAt(disk, path, position).rot(position, (byte) => byte ^ (1 << bit))
    },
    failSector(path: string, position: number) {
      byteAt(disk, path, position).badSectors.add(position)
    },
    overwrite(path: string, position: number, bytes: Uint8Array) {
      const image = fileAt(disk, path)
      image.rot(position, (_byte, index) => bytes[index] as number, bytes.length)
    },
    keep(path: string) {
      const copy = fileAt(disk, path).keep()
      return {
        putBack() {
          fileAt(disk, path).putBack(copy)
          disk.recount()
        },
      }
    },
    swap(directory: string) {
      if (isRunning()) throw new RangeError('a disk is swapped while nothing runs on its node')
      disk.tree.directory('swap', directory).clear()
      disk.recount()
    },
  }
}

function looks(disk: DiskState) {
  return {
    files: (below = '/') => disk.tree.files(below).map(([path, image]) => describe(path, image)),
    read: (path: string) => disk.tree.file('read', path)?.copy(),
    namesLost: () => disk.namesLost,
    durable(path: string) {
      if (disk.tree.find(path) === undefined) return undefined
      const inode = disk.tree.findDurable(path)
      return inode?.kind === 'file' ? inode.durableCopy() : undefined
    },
  }
}

function describe(path: string, { size, durableSize, settled }: FileImage): DiskFile {
  return { path, size, durableSize, settled }
}

function fileAt({ tree }: DiskState, path: string): FileImage {
  const image = tree.file('damage', path)
  if (image === undefined) throw new RangeError(`there is no file ${path} to damage`)
  return image
}

function byteAt(disk: DiskState, path: string, position: number): FileImage {
  const image = fileAt(disk, path)
  if (!(position >= 0 && position < image.size)) {
    throw new RangeError(`${path} has ${image.size} bytes: there is none at ${position}`)
  }
  return image
}
