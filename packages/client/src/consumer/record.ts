// One record as it is handed out. What all records of a batch share stands on the batch; what is seldom read is made
// when somebody asks for it.
import type { Compress } from '@minikafka/platform'
import { BatchReader } from '@minikafka/protocol'
import { BatchHeaders } from '../headers.ts'
import { type RecordHeaders, viewOf } from '../topic/index.ts'
import type { AnyRecord, ConsumerRecord } from './types.ts'

/** The partition that a record came from, as far as the record needs it. */
export type RecordHome = {
  readonly topic: string
  readonly partition: number
  /** Grows where the reader is sent elsewhere. */
  readonly readGeneration: number
  signal(): AbortSignal
  /** `readGeneration`: that of the record. */
  ack(offset: number, readGeneration: number): void
}

/** The batch that records came in. */
export class RecordBatch {
  readonly home: RecordHome
  readonly readGeneration: number
  readonly timestampType: 'create' | 'append'
  /** The records, decompressed. */
  readonly body: Buffer
  readonly #bytes: Uint8Array
  readonly #compress: Compress
  #isChecked = false

  constructor(home: RecordHome, reader: BatchReader, bytes: Uint8Array, compress: Compress) {
    this.home = home
    this.readGeneration = home.readGeneration
    this.timestampType = reader.header.timestampType
    this.body = reader.body
    this.#bytes = bytes
    this.#compress = compress
  }

  /** Errors: INVALID_RECORD where a record of it is not what it says, whether it was read already or not. */
  check(): void {
    if (this.#isChecked) return
    const reader = new BatchReader(this.#bytes, this.#compress)
    while (reader.next());
    // Once: a batch that a codec refuses record by record would be read as often as it has records.
    this.#isChecked = true
  }

  /** A record of this batch with key and value as the bytes they were; read again, for it is seldom wanted. */
  recordAt(offset: number): FetchedRecord {
    const reader = new BatchReader(this.#bytes, this.#compress)
    reader.skipTo(offset)
    reader.next()
    const key = bytesAt(reader.body, reader.keyStart, reader.keySize)
    const value = bytesAt(reader.body, reader.valueStart, reader.valueSize)
    return recordOf(reader, this, key, value)
  }
}

export class FetchedRecord {
  // `declare`: the constructor sets them once; a field of its own would be set twice, for every record.
  declare readonly offset: number
  declare readonly timestamp: number
  declare readonly key: unknown
  declare readonly value: unknown
  readonly #batch: RecordBatch
  readonly #headersStart: number
  readonly #headerCount: number

  constructor(
    batch: RecordBatch,
    offset: number,
    timestamp: number,
    key: unknown,
    value: unknown,
    headersStart: number,
    headerCount: number,
  ) {
    this.offset = offset
    this.timestamp = timestamp
    this.key = key
    this.value = value
    this.#batch = batch
    this.#headersStart = headersStart
    this.#headerCount = headerCount
  }

  get topic(): string {
    return this.#batch.home.topic
  }

  get partition(): number {
    return this.#batch.home.partition
  }

  get timestampType(): 'create' | 'append' {
    return this.#batch.timestampType
  }

  get headers(): RecordHeaders {
    return new BatchHeaders(this.#batch.body, this.#headersStart, this.#headerCount)
  }

  get signal(): AbortSignal {
    return this.#batch.home.signal()
  }

  ack(): void {
    const { home, readGeneration } = this.#batch
    home.ack(this.offset, readGeneration)
  }

  /** Whose record it is. */
  static home(record: FetchedRecord): RecordHome {
    return record.#batch.home
  }

  /** The same record as it was produced: bytes, whatever the codecs made of them. */
  static raw(record: FetchedRecord): FetchedRecord {
    const isRaw = (part: unknown) => part === null || part instanceof Uint8Array
    if (isRaw(record.key) && isRaw(record.value)) return record
    return record.#batch.recordAt(record.offset)
  }
}

/** What a consumer handed out, as it was produced: key and value as bytes. Read again from its batch: for tools. */
export function rawRecord(record: AnyRecord): ConsumerRecord<string> {
  const raw = FetchedRecord.raw(record as unknown as FetchedRecord)
  return raw as unknown as ConsumerRecord<string>
}

/** The record under the cursor. */
export function recordOf(
  reader: BatchReader,
  batch: RecordBatch,
  key: unknown,
  value: unknown,
): FetchedRecord {
  const { offset, timestamp, headersStart, headerCount } = reader
  return new FetchedRecord(batch, offset, timestamp, key, value, headersStart, headerCount)
}

/** A view of the batch; null where the size says so. */
export function bytesAt(body: Buffer, start: number, size: number): Buffer | null {
  return size < 0 ? null : viewOf(body, start, start + size)
}
