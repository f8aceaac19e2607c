// Bytes of a batch to records, through the codecs of the topic. A string topic makes views and nothing else.
// Enters: a cursor over a batch. Leaves: records from an offset on, up to the first one that cannot be decoded.
import { type BatchReader, isMinikafkaError, MinikafkaError } from '@minikafka/protocol'
import {
  type Codec,
  type Slice,
  sliceOf,
  type Topic,
  type TopicLike,
  viewOf,
} from '../topic/index.ts'
import { bytesAt, FetchedRecord, type RecordBatch, recordOf } from './record.ts'

/** A record, or a whole batch, that cannot be decoded. */
export type Broken = {
  readonly error: MinikafkaError
  readonly offset: number
  /** Where to go on if it is passed by. */
  readonly nextOffset: number
  /** As bytes, for policies and dead letters; undefined where not even those can be told. */
  readonly record: FetchedRecord | undefined
}

type Outcome = Broken | undefined

type Part = {
  readonly decode: Slice<unknown>
  readonly admitsNull: boolean
}

export class Decoder {
  readonly #topic: string
  /** undefined: bytes are handed out as views. */
  readonly #parts: { readonly key: Part; readonly value: Part } | undefined

  constructor(topic: TopicLike) {
    this.#topic = typeof topic === 'string' ? topic : topic.name
    if (typeof topic === 'string') return
    const { key, value } = topic as Topic<string, unknown, unknown, unknown, unknown>
    const parts = { key: partOf(key, true), value: partOf(value, value.nullable === true) }
    const isPlain = parts.key.decode === viewOf && parts.value.decode === viewOf
    if (!isPlain || !parts.value.admitsNull) this.#parts = parts
  }

  /**
   * Adds the records from `from` on to `records`, up to the first that its codec refuses. The structure of the whole
   * batch is decided before its first record leaves: one that is not what it says gives none.
   *
   * Shape   `records` is empty. `again`: the record under the cursor is tried once more; else the cursor moves on
   *         first. A promise only where a codec answers with one.
   * Errors  never thrown: what cannot be decoded is the outcome, in its place.
   */
  decode(
    reader: BatchReader,
    batch: RecordBatch,
    records: FetchedRecord[],
    from: number,
    again = false,
  ): Outcome | Promise<Outcome> {
    try {
      if (this.#parts !== undefined) return this.#decodeParts(reader, batch, records, from, again)
      return decodeViews(reader, batch, records, from)
    } catch (error) {
      return this.#unreadable(reader, batch, records, from, error)
    }
  }

  #decodeParts(
    reader: BatchReader,
    batch: RecordBatch,
    records: FetchedRecord[],
    from: number,
    again: boolean,
  ): Outcome | Promise<Outcome> {
    let isAtRecord = again
    while (isAtRecord || reader.next()) {
      isAtRecord = false
      if (reader.offset < from) continue
      let key: unknown
      let value: unknown
      try {
        key = this.#decodePart('key', reader, reader.keyStart, reader.keySize)
        value = this.#decodePart('value', reader, reader.valueStart, reader.valueSize)
      } catch (error) {
        ignoreRejection(key)
        return this.#refused(reader, batch, records, from, error)
      }
      if (key instanceof Promise || value instanceof Promise) {
        return this.#decodeLater(reader, batch, records, from, [key, value])
      }
      records.push(recordOf(reader, batch, key, value))
    }
    return undefined
  }

  /** The slow road of asynchronous codecs: one record at a time, in order. */
  async #decodeLater(
    reader: BatchReader,
    batch: RecordBatch,
    records: FetchedRecord[],
    from: number,
    pending: [unknown, unknown],
  ): Promise<Outcome> {
    try {
      const [key, value] = await Promise.all(pending)
      records.push(recordOf(reader, batch, key, value))
    } catch (error) {
      return this.#refused(reader, batch, records, from, error)
    }
    return this.decode(reader, batch, records, from)
  }

  #decodePart(name: 'key' | 'value', { body }: BatchReader, start: number, size: number): unknown {
    const part = this.#parts?.[name] as Part
    if (size >= 0) return part.decode(body, start, start + size)
    if (part.admitsNull) return null
    throw new TypeError(
      'the value is null; wrap the codec in nullable() where null, a tombstone, is allowed',
    )
  }

  /** A codec refused. The records behind it have not been looked at, and those before it are about to leave. */
  #refused(
    reader: BatchReader,
    batch: RecordBatch,
    records: FetchedRecord[],
    from: number,
    cause: unknown,
  ): Broken {
    try {
      batch.check()
    } catch (error) {
      return this.#unreadable(reader, batch, records, from, error)
    }
    return this.#undecodable(reader, batch, cause)
  }

  /** The codec refused: the cursor stays, so that it can be tried again or passed by. */
  #undecodable(reader: BatchReader, batch: RecordBatch, cause: unknown): Broken {
    const { offset } = reader
    const isMismatch = isMinikafkaError(cause) && cause.name === 'SCHEMA_MISMATCH'
    const name = isMismatch ? cause.name : 'DESERIALIZATION_FAILED'
    const error = this.#errorAt(name, batch.home.partition, offset, cause)
    const key = bytesAt(reader.body, reader.keyStart, reader.keySize)
    const value = bytesAt(reader.body, reader.valueStart, reader.valueSize)
    return { error, offset, nextOffset: offset + 1, record: recordOf(reader, batch, key, value) }
  }

  /** Nothing in the batch is sure, not even where its records are: to go on means behind it (SECURITY, "reader"). */
  #unreadable(
    reader: BatchReader,
    batch: RecordBatch,
    records: FetchedRecord[],
    from: number,
    cause: unknown,
  ): Broken {
    if (!isMinikafkaError(cause)) throw cause
    records.length = 0
    const offset = Math.max(from, reader.header.baseOffset)
    const error = this.#errorAt(cause.name, batch.home.partition, offset, cause)
    return { error, offset, nextOffset: reader.nextOffset, record: undefined }
  }

  #errorAt(name: MinikafkaError['name'], partition: number, offset: number, cause: unknown) {
    const where = `${this.#topic}-${partition} offset ${offset}`
    const why = cause instanceof Error ? cause.message : String(cause)
    const issues = isMinikafkaError(cause) ? cause.issues : undefined
    const fields = { topic: this.#topic, partition, offset, message: `${where}: ${why}`, issues }
    return new MinikafkaError(name, fields, { cause })
  }
}

function decodeViews(
  reader: BatchReader,
  batch: RecordBatch,
  records: FetchedRecord[],
  from: number,
): undefined {
  const { body } = reader
  while (reader.next()) {
    const { offset, timestamp, keyStart, keySize, valueStart, valueSize } = reader
    if (offset < from) continue
    const key = bytesAt(body, keyStart, keySize)
    const value = bytesAt(body, valueStart, valueSize)
    const { headersStart, headerCount } = reader
    records.push(new FetchedRecord(batch, offset, timestamp, key, value, headersStart, headerCount))
  }
}

function partOf(codec: Codec<unknown, unknown>, admitsNull: boolean): Part {
  return { decode: sliceOf(codec), admitsNull }
}

function ignoreRejection(value: unknown): void {
  if (value instanceof Promise) value.catch(() => undefined)
}
