// metadata.log: revisions are appended, one fdatasync covers a group, what arrives meanwhile rides the next one.
// Enters: frames in the order of their revisions. Leaves: word of what is durable, undone, or that the disk failed.
import { assert, type DiskError, type Env, type File, isNoSpace } from '@minikafka/platform'
import type { FloorSlot } from './floor.ts'
import { encodeHeader } from './frame.ts'

export type JournalFiles = {
  readonly logPath: string
  readonly snapshotPath: string
}

export type JournalListener = {
  /** Everything up to `rev` survives. */
  durable(rev: number): void
  /** There was no room: everything above `rev` is not there and never will be. */
  undone(rev: number, error: DiskError): void
  /** What was not durable yet may or may not be there. Nothing more is written. */
  failed(error: Error): void
  /** All keys, with every revision that was appended so far. */
  snapshot(): { readonly rev: number; readonly bytes: Uint8Array }
}

type Waiting = { readonly rev: number; readonly frame: Buffer }

/** Bytes gathered into one write. */
const GROUP_BYTES_MAX = 1024 * 1024

export class Journal {
  readonly #env: Env
  readonly #files: JournalFiles
  readonly #listener: JournalListener
  readonly #floor: FloorSlot
  readonly #logBytesMax: number
  #file: File
  /** Revision of the snapshot that the file begins after. */
  #base: number
  /** Size of the file: everything below is durable. */
  #position: number
  #durableRev: number
  /** A file larger than this is replaced by a snapshot. */
  #snapshotAbove: number
  #waiting: Waiting[] = []
  #running: Promise<void> | undefined
  #failure: Error | undefined

  constructor(
    env: Env,
    files: JournalFiles,
    begin: {
      file: File
      floor: FloorSlot
      base: number
      position: number
      rev: number
      logBytesMax: number
    },
    listener: JournalListener,
  ) {
    this.#env = env
    this.#files = files
    this.#listener = listener
    this.#file = begin.file
    this.#floor = begin.floor
    this.#base = begin.base
    this.#position = begin.position
    this.#durableRev = begin.rev
    this.#logBytesMax = begin.logBytesMax
    this.#snapshotAbove = begin.logBytesMax
  }

  get durableRev(): number {
    return this.#durableRev
  }

  get waitingCount(): number {
    return this.#waiting.length
  }

  append(rev: number, frame: Buffer): void {
    assert(this.#failure === undefined, 'a failed journal takes nothing')
    this.#waiting.push({ rev, frame })
    this.#running ??= this.#run()
  }

  /** Waits for what was appended. */
  async close(): Promise<void> {
    await this.#running
    await this.#floor.close()
    await this.#file.close()
  }

  async #run(): Promise<void> {
    // What else is appended in this turn rides along.
    await undefined
    try {
      while (this.#waiting.length > 0) {
        if (this.#position > this.#snapshotAbove) await this.#replaceBySnapshot()
        else await this.#writeGroup(this.#takeGroup())
      }
    } catch (error) {
      this.#failure = error as Error
      this.#listener.failed(error as Error)
    } finally {
      this.#running = undefined
    }
  }

  #takeGroup(): Waiting[] {
    let count = 0
    let bytes = 0
    for (const { frame } of this.#waiting) {
      if (count > 0 && bytes + frame.length > GROUP_BYTES_MAX) break
      count++
      bytes += frame.length
    }
    return this.#waiting.splice(0, count)
  }

  async #writeGroup(group: readonly Waiting[]): Promise<void> {
    const frames = group.map(({ frame }) => frame)
    try {
      await this.#file.append(frames, this.#position)
    } catch (error) {
      if (isNoSpace(error)) return this.#undo(error)
      throw error
    }
    await this.#file.sync()
    this.#position += frames.reduce((size, frame) => size + frame.length, 0)
    this.#advance(group.at(-1)?.rev ?? this.#durableRev)
    this.#floor.raise({ base: this.#base, position: this.#position })
  }

  #advance(rev: number): void {
    assert(rev > this.#durableRev, 'the durable revision only grows')
    this.#durableRev = rev
    this.#listener.durable(rev)
  }

  /** Cut before it is answered, and synced: the cut-off frames must not come back after a power cut. */
  async #undo(error: DiskError): Promise<void> {
    await this.#file.truncate(this.#position)
    await this.#file.sync()
    this.#waiting = []
    this.#listener.undone(this.#durableRev, error)
  }

  /** The snapshot covers what waits, too; then the log begins anew. Without room for it the log grows on. */
  async #replaceBySnapshot(): Promise<void> {
    const { rev, bytes } = this.#listener.snapshot()
    const covered = this.#waiting
    this.#waiting = []
    try {
      await this.#env.disk.replaceFile(this.#files.snapshotPath, bytes)
    } catch (error) {
      if (!isNoSpace(error)) throw error
      this.#waiting = [...covered, ...this.#waiting]
      return this.#postponeSnapshot(error)
    }
    if (rev > this.#durableRev) this.#advance(rev)
    await this.#beginAnew(rev)
  }

  async #beginAnew(base: number): Promise<void> {
    const header = encodeHeader(base)
    try {
      await this.#env.disk.replaceFile(this.#files.logPath, header)
    } catch (error) {
      // The old log stays in use: its revisions lie below the snapshot's, the next one follows on that.
      if (isNoSpace(error)) return this.#postponeSnapshot(error)
      throw error
    }
    const old = this.#file
    this.#file = await this.#env.disk.open(this.#files.logPath, 'write')
    this.#base = base
    this.#position = header.length
    this.#snapshotAbove = this.#logBytesMax
    this.#floor.raise({ base, position: header.length })
    await old.close()
  }

  #postponeSnapshot(error: DiskError): void {
    this.#snapshotAbove = this.#position + this.#logBytesMax
    this.#env.logger.warn(
      { err: error },
      'no room for a snapshot of the metadata, its log grows on',
    )
  }
}
