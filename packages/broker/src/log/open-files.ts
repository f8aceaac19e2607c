// The files of the logs that are open: at most so many, the one used longest ago goes first.
// Enters: paths. Leaves: open files, valid as long as they are held or not retired.
import { assert, type Disk, DiskError, type File } from '@minikafka/platform'

/** Change it only through `OpenFiles`, but for `dirty`. */
export class OpenFile {
  readonly path: string
  readonly file: File
  /** Those who hold it; it is closed at 0 at the earliest. */
  holders = 0
  /** Written since the last fdatasync: it is synced before it is closed. */
  dirty = false
  /** Out of the table; whoever comes next opens the path anew. */
  retired = false
  /** Set where it was retired while it was held. */
  onReleased: (() => void) | undefined

  constructor(path: string, file: File) {
    this.path = path
    this.file = file
  }
}

export class OpenFiles {
  readonly #disk: Disk
  readonly #countMax: number
  readonly #onSyncFailed: (error: unknown) => void
  /** In order of use, the one used longest ago first. */
  readonly #files = new Map<string, OpenFile>()
  readonly #opening = new Map<string, Promise<OpenFile>>()
  readonly #closing = new Set<Promise<void>>()

  /** `countMax` is exceeded while more are held at once. */
  constructor(disk: Disk, countMax: number, onSyncFailed: (error: unknown) => void) {
    this.#disk = disk
    this.#countMax = countMax
    this.#onSyncFailed = onSyncFailed
  }

  get count(): number {
    return this.#files.size + this.#closing.size
  }

  /**
   * The file at `path`. Use it before the next await, or `hold` it.
   *
   * Errors  DiskError ENOENT, ELOOP, EMFILE ...
   */
  use(path: string): OpenFile | Promise<OpenFile> {
    const open = this.#files.get(path)
    if (open === undefined) return this.#opening.get(path) ?? this.#open(path, 'write')
    this.touch(open)
    return open
  }

  /** As `use`, and holds it: `release` it when done. `create`: makes it where there is none; the directory is not synced. */
  async acquire(path: string, create = false): Promise<OpenFile> {
    for (;;) {
      const open = await (create ? this.#useOrCreate(path) : this.use(path))
      // Between its opening and this turn others may have pushed it out.
      if (open.retired) continue
      open.holders++
      return open
    }
  }

  /** Marks it as used just now. */
  touch(open: OpenFile): void {
    assert(!open.retired, 'a file in use is in the table')
    this.#files.delete(open.path)
    this.#files.set(open.path, open)
  }

  hold(open: OpenFile): void {
    open.holders++
  }

  release(open: OpenFile): void {
    assert(open.holders > 0, 'a file is released as often as it was held')
    open.holders--
    if (open.holders > 0) return
    if (open.retired) open.onReleased?.()
    else if (this.#files.size > this.#countMax) void this.#evict()
  }

  /** The path comes to mean another file or none: closed once nobody holds it. */
  drop(path: string): void {
    const open = this.#files.get(path)
    if (open !== undefined) void this.#retire(open)
  }

  /** Drops all below a directory that goes: nothing of it needs a sync. Resolves when all dropped files are closed. */
  async dropDirectory(directory: string): Promise<void> {
    for (const open of [...this.#files.values()]) {
      if (!open.path.startsWith(`${directory}/`)) continue
      open.dirty = false
      void this.#retire(open)
    }
    await Promise.all(this.#closing)
  }

  async closeAll(): Promise<void> {
    for (const open of [...this.#files.values()]) void this.#retire(open)
    await Promise.all(this.#closing)
  }

  async #useOrCreate(path: string): Promise<OpenFile> {
    for (;;) {
      try {
        return await this.use(path)
      } catch (error) {
        if (!(error instanceof DiskError) || error.code !== 'ENOENT') throw error
      }
      // Two who found nothing: the first makes it, the other takes what it made.
      if (!this.#opening.has(path)) return await this.#open(path, 'create')
    }
  }

  async #open(path: string, mode: 'write' | 'create'): Promise<OpenFile> {
    const opening = this.#openFile(path, mode)
    this.#opening.set(path, opening)
    try {
      const open = await opening
      this.#files.set(path, open)
      // Held while others are evicted, lest it evicts itself.
      open.holders++
      void this.#evict()
      open.holders--
      return open
    } finally {
      this.#opening.delete(path)
    }
  }

  async #openFile(path: string, mode: 'write' | 'create'): Promise<OpenFile> {
    try {
      return new OpenFile(path, await this.#disk.open(path, mode))
    } catch (error) {
      if (!(error instanceof DiskError) || error.code !== 'EMFILE') throw error
      // The system allows fewer descriptors than countMax: give back half of what is idle, once.
      await Promise.all(this.#evict(this.#files.size / 2))
      return new OpenFile(path, await this.#disk.open(path, mode))
    }
  }

  #evict(countMax = this.#countMax): Promise<void>[] {
    const closing: Promise<void>[] = []
    for (const open of this.#files.values()) {
      if (this.#files.size <= countMax) break
      if (open.holders === 0) closing.push(this.#retire(open))
    }
    return closing
  }

  /** Resolves when it is closed. */
  #retire(open: OpenFile): Promise<void> {
    open.retired = true
    this.#files.delete(open.path)
    const closing: Promise<void> = this.#close(open).finally(() => this.#closing.delete(closing))
    this.#closing.add(closing)
    return closing
  }

  async #close(open: OpenFile): Promise<void> {
    if (open.holders > 0) {
      await new Promise<void>((resolve) => {
        open.onReleased = resolve
      })
    }
    await this.#syncAndClose(open)
  }

  async #syncAndClose(open: OpenFile): Promise<void> {
    try {
      // A write-back error could not be seen any more once the descriptor is closed.
      if (open.dirty) await open.file.sync()
    } catch (error) {
      this.#onSyncFailed(error)
    }
    // A failed close loses nothing: what counts was synced.
    await open.file.close().catch(() => undefined)
  }
}
