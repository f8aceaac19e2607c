// One partition as its reader sees it: where it stands, what was fetched ahead, what is wrong with it.
// Enters: raw batches of the fetcher. Leaves: decoded records, in order, batch by batch.
import type { Compress } from '@minikafka/platform'
import {
  type BatchReader,
  batchLastOffsetAt,
  batchSizeAt,
  type MinikafkaError,
  readBatchHeader,
} from '@minikafka/protocol'
import type { TopicLike } from '../topic/index.ts'
import type { OffsetSpec } from '../words.ts'
import { type AbortedRange, AbortedTransactions } from './aborted.ts'
import { type Decoded, Decoder } from './decoder.ts'
import type { FetchedRecord, RecordSource } from './record.ts'

const COMPRESSION_BITS = 0x07
const NAMES = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

/** Whole batches of one answer, with what was aborted among them. */
type Raw = {
  readonly bytes: Uint8Array
  position: number
  readonly aborted: readonly AbortedRange[]
}

export class Feed {
  readonly topic: string
  readonly partition: number
  readonly #compress: Compress
  readonly #decoder: Decoder
  readonly #prepared = new Set<number>([0])
  readonly #raw: Raw[] = []
  readonly #aborted = new AbortedTransactions()
  #controller: AbortController | undefined
  /** Grows with every seek: answers to older fetches are dropped. */
  generation = 0
  topicId = ''
  /** What the reader wants first; undefined once it is an offset. */
  start: OffsetSpec | undefined
  /** Next offset to ask the broker for; -1 until `start` is resolved. */
  fetchOffset = -1
  /** Next offset to hand out. Invariant: position <= fetchOffset. */
  position = -1
  /** Leader epoch of the last batch taken, for the broker's check of divergence (KIP-320). */
  lastEpoch = -1
  bufferedBytes = 0
  highWatermark = -1
  logStartOffset = -1
  paused = false
  /** Not fetched before this moment: something went wrong. */
  notBeforeMs = 0
  failures = 0
  /** What the reader must be told before anything else of this partition. */
  failure: MinikafkaError | undefined
  lastProgressMs = 0
  /** Records decoded and not handed out, and the next of them. */
  records: readonly FetchedRecord[] = []
  index = 0
  broken: Decoded['broken']
  #ackedOffset = -1

  constructor(compress: Compress, topic: TopicLike, partition: number, start: OffsetSpec) {
    this.#compress = compress
    this.#decoder = new Decoder(compress, topic)
    this.topic = typeof topic === 'string' ? topic : topic.name
    this.partition = partition
    this.start = start
  }

  get key(): string {
    return `${this.topic}-${this.partition}`
  }

  /** Something to hand out, or to complain of. */
  get ready(): boolean {
    if (this.failure !== undefined) return true
    if (this.paused) return false
    return this.index < this.records.length || this.broken !== undefined || this.#raw.length > 0
  }

  /** Takes an answer's blobs; they are kept until they are read. */
  take(blobs: readonly Uint8Array[], aborted: readonly AbortedRange[]): void {
    for (const bytes of blobs) {
      if (bytes.length === 0) continue
      this.#raw.push({ bytes, position: 0, aborted })
      this.bufferedBytes += bytes.length
      this.#advanceFetch(bytes)
    }
  }

  #advanceFetch(bytes: Uint8Array): void {
    let last = 0
    for (let position = 0; position < bytes.length; position += batchSizeAt(bytes, position))
      last = position
    this.fetchOffset = Math.max(this.fetchOffset, batchLastOffsetAt(bytes, last) + 1)
    this.lastEpoch = readBatchHeader(bytes, last).leaderEpoch
  }

  /** Drops all that was fetched; the next fetch asks from `offset`. */
  seek(offset: number): void {
    this.#forget()
    this.start = undefined
    this.position = offset
    this.fetchOffset = offset
  }

  /** Drops all that was fetched and resolves `start` anew. */
  restart(start: OffsetSpec): void {
    this.#forget()
    this.start = start
    this.position = -1
    this.fetchOffset = -1
  }

  #forget(): void {
    this.generation++
    this.#raw.length = 0
    this.bufferedBytes = 0
    this.records = []
    this.index = 0
    this.broken = undefined
    this.failure = undefined
    this.lastEpoch = -1
    this.#ackedOffset = -1
    this.#aborted.clear()
  }

  /** Decodes the next batch where nothing decoded is left. A promise only where a codec takes time. */
  fill(): undefined | Promise<void> {
    while (this.index >= this.records.length && this.broken === undefined) {
      const raw = this.#raw[0]
      if (raw === undefined) return undefined
      const code = (raw.bytes[raw.position + 22] ?? 0) & COMPRESSION_BITS
      if (!this.#prepared.has(code)) return this.#prepare(code)
      const decoded = this.#decodeNext(raw)
      if (decoded instanceof Promise) return decoded
    }
    return undefined
  }

  async #prepare(code: number): Promise<void> {
    await this.#compress.prepare(NAMES[code] ?? 'none').catch(() => undefined)
    this.#prepared.add(code)
    await this.fill()
  }

  #decodeNext(raw: Raw): undefined | Promise<void> {
    const size = batchSizeAt(raw.bytes, raw.position)
    const batch = raw.bytes.subarray(raw.position, raw.position + size)
    raw.position += size
    this.bufferedBytes -= size
    if (raw.position >= raw.bytes.length) this.#raw.shift()
    if (this.#aborted.hides(batch, raw.aborted)) {
      this.position = Math.max(this.position, batchLastOffsetAt(batch, 0) + 1)
      return undefined
    }
    const decoded = this.#decoder.decode(batch, this.position, this.#sourceOf)
    if (!(decoded instanceof Promise)) {
      this.#put(decoded)
      return undefined
    }
    const { generation } = this
    return decoded.then((result) => {
      // A seek came in between: what was decoded belongs to the past.
      if (generation === this.generation) this.#put(result)
      return this.fill()
    })
  }

  #put({ records, nextOffset, broken }: Decoded): void {
    this.records = records
    this.index = 0
    this.broken = broken
    this.#afterRecords = nextOffset
    if (records.length === 0 && broken === undefined)
      this.position = Math.max(this.position, nextOffset)
  }

  /** Offset after the decoded records, gaps at the end of their batch included. */
  #afterRecords = -1

  /** The next `countMax` decoded records are handed out now. */
  hand(countMax: number, nowMs: number): readonly FetchedRecord[] {
    const { records, index } = this
    const end = Math.min(records.length, index + countMax)
    const handed = index === 0 && end === records.length ? records : records.slice(index, end)
    this.index = end
    this.position = this.#positionAfter(end)
    this.lastProgressMs = nowMs
    return handed
  }

  handOne(): FetchedRecord | undefined {
    const record = this.records[this.index]
    if (record === undefined) return undefined
    this.index++
    this.position =
      this.index === this.records.length ? this.#positionAfter(this.index) : record.offset + 1
    return record
  }

  #positionAfter(index: number): number {
    if (index === this.records.length) return this.#afterRecords
    return (this.records[index - 1]?.offset ?? this.position - 1) + 1
  }

  /** A record in hand was not finished: it is the next one again, unless it was acked. */
  giveBack(first: FetchedRecord): void {
    const at = this.records.indexOf(first)
    if (at !== -1 && first.offset > this.#ackedOffset) {
      this.index = at
      this.position = first.offset
    } else if (first.offset > this.#ackedOffset && this.position > first.offset)
      this.seek(first.offset)
  }

  /** Passes by a broken record. */
  skipBroken(): void {
    if (this.broken === undefined) return
    const { nextOffset } = this.broken
    const rest = this.broken
    this.broken = undefined
    // The batch is decoded again from behind the record: rare, and simple.
    if (rest.raw !== undefined) this.seek(nextOffset)
    else {
      this.records = []
      this.index = 0
      this.position = nextOffset
    }
  }

  signal(): AbortSignal {
    this.#controller ??= new AbortController()
    return this.#controller.signal
  }

  abort(reason: unknown): void {
    this.#controller?.abort(reason)
  }

  readonly #sourceOf = (reader: BatchReader): RecordSource => ({
    topic: this.topic,
    partition: this.partition,
    timestampType: reader.header.timestampType,
    body: reader.body,
    signal: () => this.signal(),
    ack: (offset) => {
      this.#ackedOffset = Math.max(this.#ackedOffset, offset)
    },
  })
}
