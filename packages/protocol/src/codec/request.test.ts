import { encode } from '@msgpack/msgpack'
import { describe, expect, test } from 'vitest'
import { MinikafkaError } from '../errors.ts'
import { decodeRequest, encodeRequest, type RefusedFrame } from './index.ts'

const TOPIC_ID = '0b9c1a8e-5d5b-4a52-9a3e-1f2e3d4c5b6a'
const BATCH = Buffer.from('a record batch')

/** A Produce request as another msgpack library would write it; `change` breaks it. */
function produce(change: { body?: unknown; blobs?: unknown[]; head?: unknown } = {}): Uint8Array {
  const body = change.body ?? [-1, 30_000, [[TOPIC_ID, 0, [0, 1]]]]
  return encode([0, 0, 9, change.head ?? [], body, ...(change.blobs ?? [BATCH])])
}

function appends(...items: unknown[]) {
  return { body: [-1, 30_000, items] }
}

function refused(frame: Uint8Array): RefusedFrame {
  const decoded = decodeRequest(frame)
  if (decoded.kind !== 'refused') throw new Error('it was not refused')
  return decoded
}

/** An array of 2^31 - 1 items that are not there. */
const HUGE_ARRAY = Buffer.of(0xdd, 0x7f, 0xff, 0xff, 0xff)

/** `produce()` up to its last append, then `bytes` where the partition is due. */
function withPartitionBytes(bytes: Uint8Array): Buffer {
  const id = Buffer.from(encode(TOPIC_ID))
  return Buffer.concat([Buffer.of(0x95, 0, 0, 9, 0x90, 0x93, 0xff, 0, 0x91, 0x93), id, bytes])
}

test('a request written by another msgpack library is read', () => {
  expect(decodeRequest(produce())).toEqual({
    kind: 'request',
    api: 'produce',
    version: 0,
    correlationId: 9,
    request: {
      acks: -1,
      timeoutMs: 30_000,
      appends: [{ topicId: TOPIC_ID, partition: 0, batch: BATCH }],
      trace: false,
    },
  })
})

test('blobs are views of the frame, and on the way out the very buffers that came in', () => {
  const frame = Buffer.from(produce())
  const decoded = decodeRequest(frame)
  if (decoded.kind !== 'request' || decoded.api !== 'produce') throw new Error('not a produce')
  expect(decoded.request.appends[0]?.batch.buffer).toBe(frame.buffer)
  expect(encodeRequest('produce', 0, 9, decoded.request)).toContain(
    decoded.request.appends[0]?.batch,
  )
})

test.each([
  [10, 0x9f],
  [11, 0xdc],
  [1000, 0xdc],
])('with %i blobs the array header is 0x%s', (count, lead) => {
  const items = Array.from({ length: count }, (_, partition) => {
    return { topicId: TOPIC_ID, partition, batch: BATCH }
  })
  const request = { acks: 1, timeoutMs: 1, trace: false, appends: items }
  const frame = Buffer.concat(encodeRequest('produce', 0, 1, request)).subarray(4)
  expect(frame[0]).toBe(lead)
  expect(decodeRequest(frame)).toMatchObject({ kind: 'request', request })
})

test('what belongs to every exchange is walked and ignored', () => {
  expect(decodeRequest(produce({ head: [1, 'x', [null, 1.5]] })).kind).toBe('request')
})

test('unknown trailing fields are walked over', () => {
  const body = [-1, 1, [[TOPIC_ID, 0, [0, 1], 'new', [1.5, [null]]]], 'newer', [true]]
  const decoded = decodeRequest(produce({ body }))
  expect(decoded).toMatchObject({ kind: 'request', request: { acks: -1 } })
  expect(Object.keys((decoded as { request: object }).request)).toEqual([
    'acks',
    'timeoutMs',
    'appends',
    'trace',
  ])
})

describe('row 10: what is left over ends the connection', () => {
  test.each([
    ['bytes after the array', Buffer.concat([produce(), Buffer.of(0)])],
    ['a blob that no field names', produce({ blobs: [BATCH, BATCH] })],
  ])('%s', (_, frame) => {
    expect(refused(frame)).toMatchObject({
      reason: 'malformed',
      correlationId: 9,
      error: { name: 'INVALID_REQUEST' },
    })
  })
})

describe('row 11: what is missing ends the connection', () => {
  const whole = Buffer.from(produce())
  test('a frame cut anywhere', () => {
    for (let size = 0; size < whole.length; size++) {
      const { reason, error, correlationId } = refused(whole.subarray(0, size))
      expect([reason, error.name]).toEqual(['malformed', 'INVALID_REQUEST'])
      // The correlation id is said as soon as enough has come to know it.
      expect(correlationId).toBe(size < 7 ? -1 : 9)
    }
  })

  test('a missing blob', () => {
    expect(refused(produce({ blobs: [] }))).toMatchObject({
      reason: 'malformed',
      error: { path: '/appends/0/batch' },
    })
  })
})

describe('row 12 and 13', () => {
  test('an unknown API key is named, with its correlation id', () => {
    expect(refused(encode([999, 0, 9, [], []]))).toMatchObject({
      reason: 'unknown-api',
      correlationId: 9,
      error: { name: 'UNSUPPORTED_VERSION' },
    })
  })

  test('an unsupported version learns which are spoken', () => {
    expect(refused(encode([0, 7, 9, [], []]))).toMatchObject({
      reason: 'unknown-version',
      correlationId: 9,
      error: { name: 'UNSUPPORTED_VERSION', details: { min: 0, max: 1 } },
    })
  })

  test('ApiVersions of the future is read as version 0', () => {
    expect(decodeRequest(encode([18, 7, 9, [], ['name', '1', 'id', 'new']]))).toMatchObject({
      kind: 'request',
      version: 0,
      request: { clientName: 'name', clientVersion: '1', clientId: 'id' },
    })
  })
})

describe('row 35: an array that announces more than there is ends the connection', () => {
  test.each([
    ['as the frame', HUGE_ARRAY],
    ['as the body', Buffer.concat([Buffer.of(0x95, 0, 0, 9, 0x90), HUGE_ARRAY])],
    ['nested', Buffer.concat([Buffer.of(0x95, 0, 0, 9, 0x90, 0x93, 1, 1), HUGE_ARRAY])],
    [
      'four times nested',
      Buffer.concat([Buffer.of(0x95, 0, 0, 9, 0x90), ...Array(4).fill(HUGE_ARRAY)]),
    ],
  ])('%s', (_, frame) => {
    const bytes = Buffer.concat([frame, Buffer.alloc(100)])
    expect(refused(bytes)).toMatchObject({
      reason: 'malformed',
      error: { name: 'INVALID_REQUEST' },
    })
  })
})

test('row 35: it allocates nothing for what is not there', () => {
  // 21 bytes that cost another decoder a gigabyte: four nested arrays of 33 million items.
  const bomb = Buffer.concat([
    Buffer.of(0x95, 0, 0, 9, 0x90),
    ...Array(4).fill(Buffer.of(0xdd, 1, 0xf7, 0x8a, 0x40)),
  ])
  const before = process.memoryUsage()
  for (let count = 0; count < 100; count++) expect(refused(bomb).reason).toBe('malformed')
  const after = process.memoryUsage()
  const grown = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers
  // A hundred of them would have cost a hundred gigabytes; what else this process does costs far less than one.
  expect(grown).toBeLessThan(2 ** 30)
})

describe('row 36: depth', () => {
  const nested = (depth: number) => Buffer.concat([Buffer.alloc(depth - 1, 0x91), Buffer.of(0x90)])
  /** The body is the first array of them. */
  const withUnknown = (depth: number) =>
    Buffer.concat([Buffer.of(0x95, 60, 0, 9, 0x90, 0x91), nested(depth)])

  test('of 32 in an unknown field is walked over', () => {
    expect(decodeRequest(withUnknown(31)).kind).toBe('request')
  })

  test.each([32, 33, 200_000])('with %i below the body ends the connection', (depth) => {
    expect(refused(withUnknown(depth))).toMatchObject({
      reason: 'malformed',
      error: { name: 'INVALID_REQUEST' },
    })
  })
})

describe('row 37: names of the prototype are plain strings', () => {
  test.each(['__proto__', 'constructor', 'toString'])('%s', (name) => {
    const decoded = decodeRequest(encode([3, 0, 9, [], [[name], null, false]]))
    expect(decoded).toMatchObject({ kind: 'request', request: { names: [name] } })
    expect(Object.keys(Object.prototype)).toEqual([])
  })
})

describe('row 66: a wrong type ends the connection and names the field', () => {
  test.each([
    ['a float', encode(1.5), 'expected int32'],
    ['a float without fraction', Buffer.of(0xca, 0x3f, 0x80, 0, 0), 'expected int32'],
    ['NaN', encode(Number.NaN), 'expected int32'],
    ['a string', encode('1'), 'expected int32'],
    ['nil', encode(null), 'expected int32'],
    ['a bool', encode(true), 'expected int32'],
    ['an array', encode([1]), 'expected int32'],
    ['a map', encode({ a: 1 }), 'a map is not allowed'],
    ['a long map', Buffer.of(0xdf, 0, 0, 0, 0), 'a map is not allowed'],
    ['an extension', Buffer.of(0xd4, 5, 0), 'an extension is not allowed'],
    ['a long extension', Buffer.of(0xc7, 1, 5, 0), 'an extension is not allowed'],
    ['a timestamp', encode(new Date(0)), 'an extension is not allowed'],
    ['the reserved byte', Buffer.of(0xc1), 'the reserved byte 0xc1 is not allowed'],
    ['a string that is not UTF-8', Buffer.of(0xa1, 0xff), 'the string is not UTF-8'],
  ])('%s', (_, bytes, sentence) => {
    const blob = Buffer.of(0x92, 0, 1)
    const frame = Buffer.concat([withPartitionBytes(bytes), blob])
    expect(refused(frame)).toMatchObject({
      reason: 'malformed',
      correlationId: 9,
      error: {
        name: 'INVALID_REQUEST',
        path: '/appends/0/partition',
        message: `/appends/0/partition: ${sentence}`,
      },
    })
  })

  test.each([
    ['a map for a list', [-1, 1, { 0: 1 }], '/appends'],
    ['a number for a list', [-1, 1, 7], '/appends'],
    ['a list for a struct', [-1, 1, ['x']], '/appends/0'],
    ['a number for a uuid', [-1, 1, [[7, 0, [0, 1]]]], '/appends/0/topicId'],
  ])('%s', (_, body, path) => {
    expect(refused(produce({ body }))).toMatchObject({ reason: 'malformed', error: { path } })
  })
})

describe('row 67: a bad value is refused, and the connection stays', () => {
  test.each([
    ['a missing field', appends([TOPIC_ID, 0]), '/appends/0/batch'],
    ['a missing field of the body', { body: [-1, 1] }, '/appends'],
    ['an integer beyond its range', appends([TOPIC_ID, 2 ** 31, [0, 1]]), '/appends/0/partition'],
    [
      'an integer below its range',
      appends([TOPIC_ID, -(2 ** 31) - 1, [0, 1]]),
      '/appends/0/partition',
    ],
    ['a text that is no uuid', appends(['x'.repeat(36), 0, [0, 1]]), '/appends/0/topicId'],
    ['an upper-case uuid', appends([TOPIC_ID.toUpperCase(), 0, [0, 1]]), '/appends/0/topicId'],
    ['a list beyond its limit', appends(...Array(1001).fill([TOPIC_ID, 0, [0, 1]])), '/appends'],
  ])('%s', (_, change, path) => {
    expect(refused(produce(change))).toMatchObject({
      reason: 'value',
      correlationId: 9,
      error: { name: 'INVALID_REQUEST', path },
    })
  })

  test.each([
    ['2^53', Buffer.of(0xcf, 0, 0x20, 0, 0, 0, 0, 0, 0)],
    ['2^64 - 1', Buffer.of(0xcf, 255, 255, 255, 255, 255, 255, 255, 255)],
    ['-2^63', Buffer.of(0xd3, 0x80, 0, 0, 0, 0, 0, 0, 0)],
  ])('an offset of %s', (_, offset) => {
    const head = Buffer.of(0x95, 21, 0, 9, 0x90, 0x92, 0x91, 0x93)
    const frame = Buffer.concat([head, encode(TOPIC_ID), Buffer.of(0), offset, Buffer.of(1)])
    expect(refused(frame)).toMatchObject({
      reason: 'value',
      error: { path: '/partitions/0/beforeOffset' },
    })
  })

  test('a string beyond its bytes', () => {
    const rack = 'ä'.repeat(128)
    const body = [-1, -1, 0, -1, 0, rack, 1, 1, 1, []]
    expect(refused(encode([1, 0, 9, [], body]))).toMatchObject({
      reason: 'value',
      error: { path: '/rack', message: '/rack: expected at most 255 bytes' },
    })
  })
})

describe('row 68: blobs', () => {
  test.each([
    ['sent as a string', produce({ blobs: ['batch'] })],
    ['sent as an array', produce({ blobs: [[1, 2]] })],
    ['named twice', produce(appends([TOPIC_ID, 0, [0, 1]], [TOPIC_ID, 1, [0, 1]]))],
    ['named beyond the last', produce(appends([TOPIC_ID, 0, [1, 1]]))],
    ['named below the first', produce(appends([TOPIC_ID, 0, [-1, 1]]))],
    [
      'more than one where one is due',
      produce({ ...appends([TOPIC_ID, 0, [0, 2]]), blobs: [BATCH, BATCH] }),
    ],
    ['none where one is due', produce({ ...appends([TOPIC_ID, 0, [-1, 0]]), blobs: [] })],
    ['a count that overflows', produce(appends([TOPIC_ID, 0, [0, 2 ** 53]]))],
    ['index and count as text', produce(appends([TOPIC_ID, 0, ['0', '1']]))],
    ['an index without a count', produce(appends([TOPIC_ID, 0, [0]]))],
  ])('%s end the connection', (_, frame) => {
    expect(refused(frame)).toMatchObject({
      reason: 'malformed',
      correlationId: 9,
      error: { name: 'INVALID_REQUEST' },
    })
  })
})

describe('values that do not fit are refused before they leave', () => {
  test.each([
    [{ acks: 1.5, timeoutMs: 1, appends: [] }, '/acks'],
    [{ acks: 1, timeoutMs: 2 ** 31, appends: [] }, '/timeoutMs'],
    [{ acks: 1, timeoutMs: 1, appends: 'no list' }, '/appends'],
    [
      { acks: 1, timeoutMs: 1, appends: [{ topicId: 'no id', partition: 0, batch: BATCH }] },
      '/appends/0/topicId',
    ],
    [{ acks: 1, timeoutMs: 1, appends: [{ topicId: TOPIC_ID, partition: 0 }] }, '/appends/0/batch'],
    [{ acks: 1, timeoutMs: 1, appends: [null] }, '/appends/0'],
    [{ acks: 1, timeoutMs: 1, appends: Array(1001).fill(null) }, '/appends'],
  ])('%j', (request, path) => {
    try {
      encodeRequest('produce', 0, 1, request as never)
      expect.unreachable()
    } catch (error) {
      expect(error).toBeInstanceOf(MinikafkaError)
      expect(error).toMatchObject({ name: 'INVALID_REQUEST', path, outcome: 'not-written' })
    }
  })

  test('half a surrogate pair becomes U+FFFD: what leaves is UTF-8', () => {
    const request = { names: ['a\ud800b'], topicIds: null, allowAutoTopicCreation: false }
    const frame = Buffer.concat(encodeRequest('metadata', 0, 1, request)).subarray(4)
    expect(decodeRequest(frame)).toMatchObject({ request: { names: ['a\ufffdb'] } })
  })
})
