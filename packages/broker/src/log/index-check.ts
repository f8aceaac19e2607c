// Do the indexes of a segment fit its batches? Enters: the files, and the batches in order. Leaves: the first entry of each
// that does not. Memory: the index files, which are a five-hundredth of their segment.
import type { Disk } from '@minikafka/platform'
import { BATCH_HEADER_SIZE, batchBaseOffsetAt, batchMaxTimestampAt } from '@minikafka/protocol'
import type { SegmentFiles } from './log-files.ts'
import { readOffsetEntries } from './offset-index.ts'
import { segmentPath } from './segment.ts'
import { readTimeEntries } from './time-index.ts'

const OFFSET_ENTRY_SIZE = 8
const TIME_ENTRY_SIZE = 12

type Entries<Entry> = Iterator<Entry & { readonly entryPosition: number }>

export class IndexCheck {
  /** A sentence per index that is wrong. */
  readonly problems: string[] = []
  readonly #baseOffset: number
  readonly #offsets: Cursor<{ offset: number; position: number }>
  readonly #times: Cursor<{ offset: number; timestamp: number }>
  #maxTimestamp = -1

  private constructor(
    baseOffset: number,
    offsets: Cursor<{ offset: number; position: number }>,
    times: Cursor<{ offset: number; timestamp: number }>,
  ) {
    this.#baseOffset = baseOffset
    this.#offsets = offsets
    this.#times = times
  }

  static async begin(disk: Disk, directory: string, files: SegmentFiles): Promise<IndexCheck> {
    const { baseOffset } = files
    const problems: string[] = []
    const load = async (extension: 'index' | 'timeindex', entrySize: number) => {
      const path = segmentPath({ directory, baseOffset }, extension)
      const size = files[extension]
      const why = wrongSize(size, entrySize, files.log)
      if (why !== undefined) problems.push(`${path}: ${why}; ${REBUILT}`)
      const content = why === undefined ? await disk.readFile(path) : undefined
      return { path, content: content ?? Buffer.alloc(0) }
    }
    const index = await load('index', OFFSET_ENTRY_SIZE)
    const timeindex = await load('timeindex', TIME_ENTRY_SIZE)
    const check = new IndexCheck(
      baseOffset,
      new Cursor(index.path, readOffsetEntries(index.content)),
      new Cursor(timeindex.path, readTimeEntries(timeindex.content)),
    )
    check.problems.push(...problems)
    return check
  }

  /** `bytes`: the header of the next batch, which stands at `position`. */
  batch(bytes: Buffer, position: number): void {
    const offset = batchBaseOffsetAt(bytes) - this.#baseOffset
    this.#maxTimestamp = Math.max(this.#maxTimestamp, batchMaxTimestampAt(bytes))
    const place = this.#offsets.entry
    if (place !== undefined && place.position <= position) {
      if (place.position === position && place.offset === offset) this.#offsets.next()
      else this.#wrongOffset()
    }
    const time = this.#times.entry
    if (time !== undefined && time.offset <= offset) {
      const isRight = time.offset === offset && time.timestamp === this.#maxTimestamp
      if (isRight && batchMaxTimestampAt(bytes) === time.timestamp) this.#times.next()
      else this.#wrongTime()
    }
  }

  end(): void {
    if (this.#offsets.entry !== undefined) this.#wrongOffset()
    if (this.#times.entry !== undefined) this.#wrongTime()
  }

  #wrongOffset(): void {
    const { path, entry } = this.#offsets
    const where = `${path}: position ${entry?.entryPosition}`
    const offset = this.#baseOffset + (entry?.offset ?? 0)
    this.problems.push(
      `${where}: no batch of offset ${offset} begins at ${entry?.position}; ${REBUILT}`,
    )
    this.#offsets.stop()
  }

  #wrongTime(): void {
    const { path, entry } = this.#times
    const where = `${path}: position ${entry?.entryPosition}`
    const offset = this.#baseOffset + (entry?.offset ?? 0)
    const what = `no batch of offset ${offset} is the first with timestamp ${entry?.timestamp}`
    this.problems.push(`${where}: ${what}; ${REBUILT}`)
    this.#times.stop()
  }
}

const REBUILT = 'the index is rebuilt when it is used'

/** The next entry that was not met yet. */
class Cursor<Entry> {
  readonly path: string
  entry: (Entry & { readonly entryPosition: number }) | undefined
  readonly #entries: Entries<Entry>

  constructor(path: string, entries: Entries<Entry>) {
    this.path = path
    this.#entries = entries
    this.next()
  }

  next(): void {
    const { value, done } = this.#entries.next()
    this.entry = done === true ? undefined : value
  }

  /** One problem says enough. */
  stop(): void {
    this.entry = undefined
  }
}

function wrongSize(size: number, entrySize: number, logSize: number): string | undefined {
  if (size % entrySize !== 0) return `${size} bytes are no whole number of entries`
  const entriesMax = Math.ceil(logSize / BATCH_HEADER_SIZE)
  return size / entrySize > entriesMax ? `${size} bytes are more than its segment needs` : undefined
}
