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
  /** With the path of each. */
  readonly #closing = new Map<Promise<void>, string>()
  /** Prefixes of paths that nobody may open now. */
  readonly #closedDirectories = new Set<string>()

  /** `countMax` is exceeded while more are held at once. */
  constructor(disk: Disk, countMax: number, onSyncFailed: (error: unknown) => void) {
    this.#disk = disk
    this.#countMax = countMax
    this.#onSyncFailed = onSyncFailed
  }

  get count(): number {
    return this.#files.size + this.#closing.size
  }

  /** The file at `path` where it is open already. Use it before the next await, or `hold` it. */
  peek(path: string): OpenFile | undefined {
    const open = this.#files.get(path)
    if (open === undefined) return undefined
    this.#files.delete(path)
    this.#files.set(path, open)
    return open
  }

  /**
   * The file at `path`, held: `release` it when done. `create`: makes it where there is none; the directory is not synced.
   *
   * Errors  DiskError ENOENT, ELOOP, EMFILE ...
   */
  async acquire(path: string, create = false): Promise<OpenFile> {
    for (;;) {
      const open = this.peek(path) ?? (await (create ? this.#openOrCreate(path) : this.#open(path)))
      // Between its opening and this turn others may have pushed it out, or the path came to mean another file.
      if (open.retired) continue
      open.holders++
      return open
    }
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

  /** The path comes to mean another file or none: what is open or being opened is closed once nobody holds it. */
  drop(path: string): void {
    const open = this.#files.get(path)
    if (open !== undefined) void this.#retire(open)
    // Whoever opened it may have the file that goes: see `#admit`.
    this.#opening.delete(path)
  }

  /**
   * Runs `work`, which takes a directory away, while nothing below it is open: what is must not need a sync, and who
   * asks meanwhile hears that there is no such file. A descriptor that outlived it would get the writes of the file that
   * is made next under the same name.
   */
  async withoutDirectory<T>(directory: string, work: () => Promise<T>): Promise<T> {
    this.#closedDirectories.add(`${directory}/`)
    try {
      await this.#dropDirectory(`${directory}/`)
      return await work()
    } finally {
      this.#closedDirectories.delete(`${directory}/`)
    }
  }

  async closeAll(): Promise<void> {
    await Promise.allSettled(this.#opening.values())
    for (const open of [...this.#files.values()]) void this.#retire(open)
    await Promise.all(this.#closing.keys())
  }

  /** Resolves when all files below it are closed; who holds others may hold them for long. */
  async #dropDirectory(prefix: string): Promise<void> {
    for (const open of [...this.#files.values()]) {
      if (!open.path.startsWith(prefix)) continue
      open.dirty = false
      void this.#retire(open)
    }
    const opening = [...this.#opening].filter(([path]) => path.startsWith(prefix))
    for (const [path] of opening) this.#opening.delete(path)
    await Promise.allSettled(opening.map(([, file]) => file))
    const closing = [...this.#closing].filter(([, path]) => path.startsWith(prefix))
    await Promise.all(closing.map(([closed]) => closed))
  }

  async #openOrCreate(path: string): Promise<OpenFile> {
    for (;;) {
      try {
        return await this.#open(path)
      } catch (error) {
        if (!(error instanceof DiskError) || error.code !== 'ENOENT') throw error
      }
      this.#mayOpen(path)
      // Two who found nothing: the first makes it, the other takes what it made.
      if (!this.#opening.has(path)) return await this.#open(path, 'create')
    }
  }

  /** Shared by all who want the same file meanwhile. It may be retired when it comes. */
  #open(path: string, mode: 'write' | 'create' = 'write'): Promise<OpenFile> {
    const present = this.#opening.get(path)
    if (present !== undefined) return present
    const opening: Promise<OpenFile> = this.#openFile(path, mode)
      .then((open) => this.#admit(open, this.#opening.get(path) === opening))
      .finally(() => {
        if (this.#opening.get(path) === opening) this.#opening.delete(path)
      })
    this.#opening.set(path, opening)
    return opening
  }

  /** Not wanted any more: the path was dropped while it was being opened, and may mean another file by now. */
  #admit(open: OpenFile, isWanted: boolean): OpenFile {
    if (!isWanted) {
      void this.#retire(open)
      return open
    }
    this.#files.set(open.path, open)
    // Held while others are evicted, lest it evicts itself.
    open.holders++
    void this.#evict()
    open.holders--
    return open
  }

  #mayOpen(path: string): void {
    for (const prefix of this.#closedDirectories) {
      if (path.startsWith(prefix)) throw new DiskError('ENOENT', `ENOENT: being deleted, '${path}'`)
    }
  }

  async #openFile(path: string, mode: 'write' | 'create'): Promise<OpenFile> {
    this.#mayOpen(path)
    try {
      return new OpenFile(path, await this.#disk.open(path, mode))
    } catch (error) {
      if (!isOutOfDescriptors(error)) throw error
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
    if (this.#files.get(open.path) === open) this.#files.delete(open.path)
    const closing: Promise<void> = this.#close(open).finally(() => this.#closing.delete(closing))
    this.#closing.set(closing, open.path)
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

/** The process, or the whole system, has as many files open as it may: nothing failed but the opening. */
export function isOutOfDescriptors(error: unknown): boolean {
  return error instanceof DiskError && (error.code === 'EMFILE' || error.code === 'ENFILE')
}
