// Bytes of a batch to records, through the codecs of the topic. A string topic makes views and nothing else.
// Enters: one batch. Leaves: its records from an offset on, up to the first one that cannot be decoded.
import type { Compress } from '@minikafka/platform'
import { BatchReader, isMinikafkaError, MinikafkaError } from '@minikafka/protocol'
import type { Codec, Topic, TopicLike } from '../topic/index.ts'
import { FetchedRecord, type RecordSource } from './record.ts'
import { viewOf } from './view.ts'

type AnyCodec = Codec<unknown, unknown>

export type Decoded = {
  readonly records: FetchedRecord[]
  /** Offset after what was read. With `broken`: the offset of that record. */
  readonly nextOffset: number
  readonly broken: Broken | undefined
}

/** A record, or a whole batch, that cannot be decoded. */
export type Broken = {
  readonly error: MinikafkaError
  readonly offset: number
  /** Where to go on if it is skipped. */
  readonly nextOffset: number
  /** The record as bytes, for policies and dead letters; undefined where even that cannot be read. */
  readonly raw: FetchedRecord | undefined
}

export type SourceOf = (reader: BatchReader) => RecordSource

export class Decoder {
  readonly #compress: Compress
  readonly #topic: string
  readonly #key: AnyCodec | undefined
  readonly #value: AnyCodec | undefined

  constructor(compress: Compress, topic: TopicLike) {
    this.#compress = compress
    this.#topic = typeof topic === 'string' ? topic : topic.name
    const typed =
      typeof topic === 'string'
        ? undefined
        : (topic as Topic<string, unknown, unknown, unknown, unknown>)
    this.#key = isBytes(typed?.key) ? undefined : typed?.key
    this.#value = isBytes(typed?.value) ? undefined : typed?.value
  }

  /**
   * The records of a batch from `from` on.
   *
   * Shape   `batch`: exactly one; kept by the views. A promise only where a codec answers with one.
   * Errors  never thrown: what cannot be decoded is `broken`, in its place.
   */
  decode(batch: Uint8Array, from: number, sourceOf: SourceOf): Decoded | Promise<Decoded> {
    let reader: BatchReader
    try {
      reader = new BatchReader(batch, this.#compress)
    } catch (error) {
      return brokenBatch(batch, from, error, this.#topic)
    }
    const source = sourceOf(reader)
    if (this.#key === undefined && this.#value === undefined)
      return this.#decodeViews(reader, from, source)
    return this.#decodeTyped(reader, from, source)
  }

  #decodeViews(reader: BatchReader, from: number, source: RecordSource): Decoded {
    const records: FetchedRecord[] = []
    const { body } = reader
    try {
      while (reader.next()) {
        if (reader.offset >= from) records.push(rawRecord(reader, body, source))
      }
    } catch (error) {
      return brokenRest(reader, records, error, this.#topic)
    }
    return { records, nextOffset: reader.nextOffset, broken: undefined }
  }

  #decodeTyped(
    reader: BatchReader,
    from: number,
    source: RecordSource,
    records: FetchedRecord[] = [],
  ): Decoded | Promise<Decoded> {
    const { body } = reader
    try {
      while (reader.next()) {
        const { offset } = reader
        if (offset < from) continue
        const raw = () => rawRecord(reader, body, source)
        let key: unknown
        let value: unknown
        try {
          key = this.#decodeField(this.#key, 'key', body, reader.keyStart, reader.keySize)
          value = this.#decodeField(this.#value, 'value', body, reader.valueStart, reader.valueSize)
        } catch (error) {
          return { records, nextOffset: offset, broken: this.#broken(error, offset, raw()) }
        }
        if (key instanceof Promise || value instanceof Promise) {
          return this.#goOnLater(reader, from, source, records, key, value)
        }
        records.push(recordOf(reader, source, key, value))
      }
    } catch (error) {
      return brokenRest(reader, records, error, this.#topic)
    }
    return { records, nextOffset: reader.nextOffset, broken: undefined }
  }

  /** The slow road of asynchronous codecs: one record at a time, in order. */
  async #goOnLater(
    reader: BatchReader,
    from: number,
    source: RecordSource,
    records: FetchedRecord[],
    key: unknown,
    value: unknown,
  ): Promise<Decoded> {
    const { offset } = reader
    const raw = rawRecord(reader, reader.body, source)
    try {
      const [decodedKey, decodedValue] = await Promise.all([key, value])
      records.push(recordOf(reader, source, decodedKey, decodedValue))
    } catch (error) {
      return { records, nextOffset: offset, broken: this.#broken(error, offset, raw) }
    }
    return this.#decodeTyped(reader, from, source, records)
  }

  #decodeField(
    codec: AnyCodec | undefined,
    part: 'key' | 'value',
    body: Buffer,
    start: number,
    size: number,
  ): unknown {
    if (size < 0) {
      if (part === 'key' || codec === undefined || codec.nullable) return null
      throw new TypeError(
        'the value is null: wrap the codec in nullable() where null (a tombstone) is allowed',
      )
    }
    const view = viewOf(body, start, size)
    return codec === undefined ? view : codec.decode(view)
  }

  #broken(error: unknown, offset: number, raw: FetchedRecord): Broken {
    const fields = { topic: this.#topic, partition: raw.partition, offset }
    const message = `${this.#topic}-${raw.partition} offset ${offset}: ${(error as Error).message}`
    const issues = isMinikafkaError(error) ? error.issues : undefined
    const name =
      isMinikafkaError(error) && error.name === 'SCHEMA_MISMATCH'
        ? error.name
        : 'DESERIALIZATION_FAILED'
    return {
      error: new MinikafkaError(name, { ...fields, message, issues }, { cause: error }),
      offset,
      nextOffset: offset + 1,
      raw,
    }
  }
}

function isBytes(codec: AnyCodec | undefined): boolean {
  return codec === undefined || codec.name === 'bytes' || codec.name === 'nullable bytes'
}

function recordOf(
  reader: BatchReader,
  source: RecordSource,
  key: unknown,
  value: unknown,
): FetchedRecord {
  return new FetchedRecord(
    source,
    reader.offset,
    reader.timestamp,
    key,
    value,
    reader.headersStart,
    reader.headerCount,
  )
}

function rawRecord(reader: BatchReader, body: Buffer, source: RecordSource): FetchedRecord {
  const { keySize, valueSize } = reader
  const key = keySize < 0 ? null : viewOf(body, reader.keyStart, keySize)
  const value = valueSize < 0 ? null : viewOf(body, reader.valueStart, valueSize)
  return new FetchedRecord(
    source,
    reader.offset,
    reader.timestamp,
    key,
    value,
    reader.headersStart,
    reader.headerCount,
  )
}

/** A record inside cannot be read: what stood before it is handed out, the rest of the batch is skipped or stops the reader. */
function brokenRest(
  reader: BatchReader,
  records: FetchedRecord[],
  error: unknown,
  topic: string,
): Decoded {
  const offset = (isMinikafkaError(error) ? error.offset : undefined) ?? reader.header.baseOffset
  const broken = {
    error: placed(error, topic, offset),
    offset,
    nextOffset: reader.nextOffset,
    raw: undefined,
  }
  return { records, nextOffset: offset, broken }
}

function brokenBatch(batch: Uint8Array, from: number, error: unknown, topic: string): Decoded {
  const view = new DataView(batch.buffer, batch.byteOffset, batch.length)
  const base = Number(view.getBigInt64(0))
  const last = base + view.getInt32(23)
  const offset = Math.max(base, from)
  const broken = {
    error: placed(error, topic, offset),
    offset,
    nextOffset: Math.max(last + 1, offset + 1),
    raw: undefined,
  }
  return { records: [], nextOffset: offset, broken }
}

function placed(error: unknown, topic: string, offset: number): MinikafkaError {
  const name = isMinikafkaError(error) ? error.name : 'CORRUPT_MESSAGE'
  const message = `${topic} offset ${offset}: ${(error as Error).message}`
  return new MinikafkaError(name, { topic, offset, message }, { cause: error })
}
