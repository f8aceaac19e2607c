// From what the caller hands over to bytes: keys and values through their codecs, headers to pairs.
import { type HeaderInput, isMinikafkaError, MinikafkaError } from '@minikafka/protocol'
import type { Codec, HeadersInit, TopicLike } from '../topic/index.ts'
import type { Bytes } from '../words.ts'
import { hasRecordSubscribers, publishRecord } from './channels.ts'
import type { ProducerRecord } from './types.ts'

/** A `Promise`, no other thenable, where the codec's schema checks asynchronously. */
export type Encoded = Bytes | null | Promise<Bytes | null>

export function encodeKey(topic: TopicLike, key: unknown): Encoded {
  if (key === undefined || key === null) return null
  return typeof topic === 'string'
    ? bytesOf(topic, 'key', key)
    : encode(topic.name, 'key', topic.key, key)
}

export function encodeValue(topic: TopicLike, value: unknown): Encoded {
  if (typeof topic === 'string') return value === null ? null : bytesOf(topic, 'value', value)
  if (value !== null) return encode(topic.name, 'value', topic.value, value)
  if (topic.value.nullable === true) return null
  throw new MinikafkaError('SERIALIZATION_FAILED', {
    message: `the value of a record for '${topic.name}' is null; nullable(codec) admits tombstones`,
    topic: topic.name,
    path: 'value',
    outcome: 'not-written',
  })
}

function encode(topic: string, part: string, codec: Codec<unknown>, value: unknown): Encoded {
  let encoded: unknown
  try {
    encoded = codec.encode(value)
  } catch (error) {
    throw failed(topic, part, error)
  }
  if (!isPromise(encoded)) return bytesOf(topic, part, encoded)
  return Promise.resolve(encoded).then(
    (bytes) => bytesOf(topic, part, bytes),
    (error: unknown) => {
      throw failed(topic, part, error)
    },
  )
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    'then' in value &&
    typeof value.then === 'function'
  )
}

function bytesOf(topic: string, part: string, value: unknown): Bytes {
  if (typeof value === 'string' || value instanceof Uint8Array) return value
  const kind =
    value === undefined
      ? 'is undefined'
      : `is ${typeof value === 'object' ? 'an object' : typeof value}`
  throw new MinikafkaError('SERIALIZATION_FAILED', {
    message: `the ${part} of a record for '${topic}' ${kind}; without a codec it must be a string or bytes`,
    topic,
    path: part,
    outcome: 'not-written',
  })
}

/** A codec's own MinikafkaError (SCHEMA_MISMATCH with its issues) is passed on. */
function failed(topic: string, part: string, error: unknown): MinikafkaError {
  if (isMinikafkaError(error)) return error
  const why = error instanceof Error ? error.message : String(error)
  const message = `the ${part} of a record for '${topic}' could not be encoded: ${why}`
  const fields = { message, topic, path: part, outcome: 'not-written' } as const
  return new MinikafkaError('SERIALIZATION_FAILED', fields, { cause: error })
}

type Pair = [string, Uint8Array | string | null]

/** Name and value of each header, in order, in an array of the callee's own. */
export function headerPairs(topic: string, headers: HeadersInit): Pair[] {
  const pairs = Symbol.iterator in headers ? [...headers] : Object.entries(headers)
  return pairs.map((pair) => {
    const [name, value] = pair as readonly [unknown, unknown]
    if (
      typeof name === 'string' &&
      (value === null || typeof value === 'string' || value instanceof Uint8Array)
    ) {
      return [name, value]
    }
    throw new MinikafkaError('SERIALIZATION_FAILED', {
      message: `header '${String(name)}' of a record for '${topic}' must be a string, bytes or null`,
      topic,
      path: 'headers',
      outcome: 'not-written',
    })
  })
}

/** The headers of a record, and those that a subscriber of `minikafka:record` adds. */
export function headersOf(topic: string, record: ProducerRecord<string>): HeaderInput | undefined {
  const headers = record.headers === undefined ? [] : headerPairs(topic, record.headers)
  if (hasRecordSubscribers()) {
    const { key, value } = record
    publishRecord({ topic, key: key ?? null, value, headers })
  }
  return headers.length === 0 ? undefined : headers
}

export function checkTimestamp(topic: string, timestamp: number): void {
  if (Number.isSafeInteger(timestamp) && timestamp >= 0) return
  throw new MinikafkaError('INVALID_TIMESTAMP', {
    message: `the timestamp of a record for '${topic}' must be milliseconds since 1970, an integer`,
    topic,
    path: 'timestamp',
    outcome: 'not-written',
  })
}
