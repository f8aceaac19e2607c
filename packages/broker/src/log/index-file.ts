// The file behind an index: fixed entries, sorted by their first number, appended and never changed.
// Enters: entries, in order. Leaves: the saved part and the part not yet saved. Never fsynced: it can be rebuilt.
import { assert, DiskError } from '@minikafka/platform'
import { Coalesced } from './coalesced.ts'
import type { IndexCache } from './index-cache.ts'
import type { OpenFiles } from './open-files.ts'

/** What index files share: one per data directory. */
export type IndexShelf = {
  readonly files: OpenFiles
  readonly cache: IndexCache
}

const PENDING_SIZE_MIN = 512
/** Entries are saved when so many bytes wait: 16 MiB of batches at one offset entry per 4 KiB. */
const PENDING_SIZE_SAVED = 32 * 1024
const NOTHING = Buffer.alloc(0)

/** Does this saved content hold together? It was not synced, so a power cut may have left anything. */
export type IndexCheck = (saved: Buffer) => boolean

export class IndexFile {
  readonly path: string
  readonly #shelf: IndexShelf
  readonly #entrySize: number
  /** Entries in the file, all before those that wait. */
  #savedCount: number
  #waiting: Buffer = NOTHING
  #waitingSize = 0
  readonly #saving = new Coalesced(() => this.#saveWaiting())
  /** The file holds something else, which must not be found at the next start. */
  #overwrites: boolean
  /** The index at the same path that this one takes the place of; its last save may be under way. */
  #predecessor: Promise<void> | undefined

  /** `fileSize`: of the file as it was found; one that is no whole number of entries counts as none. */
  constructor(shelf: IndexShelf, path: string, entrySize: number, fileSize: number) {
    this.#shelf = shelf
    this.path = path
    this.#entrySize = entrySize
    const isWhole = fileSize % entrySize === 0
    this.#savedCount = isWhole ? fileSize / entrySize : 0
    this.#overwrites = !isWhole
  }

  get count(): number {
    return this.#savedCount + this.#waitingSize / this.#entrySize
  }

  /** Entries not yet in the file. A view, valid until the next `add`. */
  get waiting(): Buffer {
    return this.#waiting.subarray(0, this.#waitingSize)
  }

  /** Room for one more entry: write it into the returned buffer at the returned position, at once. */
  add(): { buffer: Buffer; position: number } {
    const position = this.#waitingSize
    this.#waitingSize += this.#entrySize
    if (this.#waitingSize > this.#waiting.length) this.#grow()
    return { buffer: this.#waiting, position }
  }

  get wantsSaving(): boolean {
    return this.#waitingSize >= PENDING_SIZE_SAVED && !this.#saving.isRunning
  }

  /** The entries in the file; undefined where they do not pass the check. */
  saved(check: IndexCheck): Buffer | undefined | Promise<Buffer | undefined> {
    if (this.#savedCount === 0) return NOTHING
    const cached = this.#shelf.cache.get(this)
    return cached ?? this.#load(check)
  }

  /** Appends all that waits now to the file; lookups find it all the time. */
  save(): Promise<void> {
    return this.#saving.run()
  }

  /** The segment is gone or its index is built anew: nothing is written after this resolves. */
  async forget(): Promise<void> {
    await this.#saving.idle()
    this.#shelf.cache.delete(this)
    this.#waiting = NOTHING
    this.#waitingSize = 0
  }

  /** Takes the place of an index at the same path. */
  follow(old: IndexFile): void {
    this.#predecessor = old.forget().then(() => {
      this.#overwrites = old.#overwrites || old.#savedCount > 0
    })
  }

  async #load(check: IndexCheck): Promise<Buffer | undefined> {
    const count = this.#savedCount
    const content = Buffer.allocUnsafeSlow(count * this.#entrySize)
    const readSize = await this.#read(content)
    if (readSize < content.length || !check(content)) return undefined
    if (count === this.#savedCount) this.#shelf.cache.set(this, content)
    return content
  }

  /** A file that vanished reads as an empty one. */
  async #read(into: Buffer): Promise<number> {
    try {
      const open = await this.#shelf.files.acquire(this.path)
      try {
        return await open.file.read(into, 0)
      } finally {
        this.#shelf.files.release(open)
      }
    } catch (error) {
      if (error instanceof DiskError) return 0
      throw error
    }
  }

  async #saveWaiting(): Promise<void> {
    await this.#predecessor
    if (this.#waitingSize === 0 && !this.#overwrites) return
    const { files } = this.#shelf
    const open = await files.acquire(this.path, true)
    try {
      if (this.#savedCount === 0) await open.file.truncate(0)
      this.#overwrites = false
      const bytes = Buffer.from(this.waiting)
      const written = open.file.append([bytes], this.#savedCount * this.#entrySize)
      if (written !== undefined) await written
      this.#waiting.copyWithin(0, bytes.length, this.#waitingSize)
      this.#waitingSize -= bytes.length
      this.#savedCount += bytes.length / this.#entrySize
      this.#shelf.cache.delete(this)
      if (this.#waitingSize === 0) this.#waiting = NOTHING
    } finally {
      files.release(open)
    }
  }

  #grow(): void {
    const size = Math.max(PENDING_SIZE_MIN, this.#waiting.length * 2)
    assert(size >= this.#waitingSize, 'a grown buffer has room for one more entry')
    const grown = Buffer.allocUnsafeSlow(size)
    this.#waiting.copy(grown)
    this.#waiting = grown
  }
}

/** Position of the last entry whose key is at most `key`; -1: there is none. Keys ascend. */
export function floorEntry(
  entries: Buffer,
  entrySize: number,
  key: number,
  keyAt: (entries: Buffer, position: number) => number,
): number {
  let low = 0
  let high = entries.length / entrySize
  while (low < high) {
    const middle = (low + high) >>> 1
    if (keyAt(entries, middle * entrySize) <= key) low = middle + 1
    else high = middle
  }
  return (low - 1) * entrySize
}
