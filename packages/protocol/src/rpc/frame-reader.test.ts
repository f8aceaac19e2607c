import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FrameReader } from './frame-reader.ts'

const MIB = 2 ** 20

/** Counts what is charged, and the most that ever was. */
class Account {
  room = Number.POSITIVE_INFINITY
  bytes = 0
  peak = 0
  charge(bytes: number) {
    this.bytes += bytes
    this.peak = Math.max(this.peak, this.bytes)
  }
  release(bytes: number) {
    this.bytes -= bytes
  }
}

function readerOf(frameBytesMax = 16 * MIB) {
  const account = new Account()
  return { account, reader: new FrameReader(frameBytesMax, account) }
}

function framed(payload: Uint8Array): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(payload.length)
  return Buffer.concat([length, payload])
}

/** As a port does it: asks for a target as often as needed. */
function feed(reader: FrameReader, bytes: Uint8Array) {
  let rest = bytes
  while (rest.length > 0) {
    const target = reader.target()
    expect(target.length).toBeGreaterThan(0)
    const size = Math.min(target.length, rest.length)
    target.set(rest.subarray(0, size))
    reader.received(size)
    rest = rest.subarray(size)
  }
}

function takeAll(reader: FrameReader, account: Account): Buffer[] {
  const frames: Buffer[] = []
  for (let frame = reader.next(); frame !== undefined; frame = reader.next()) {
    account.release(frame.length)
    frames.push(frame)
  }
  return frames
}

const payloads = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.integer({ min: 5, max: 300 }) },
    { weight: 2, arbitrary: fc.integer({ min: 5, max: 20_000 }) },
    { weight: 1, arbitrary: fc.integer({ min: 5, max: 400_000 }) },
  ),
  { maxLength: 30 },
)

test('a stream cut anywhere gives the frames that were sent, in order, and charges nothing in the end', () => {
  const cuts = fc.array(fc.integer({ min: 1, max: 90_000 }), { minLength: 1, maxLength: 20 })
  fc.assert(
    fc.property(payloads, cuts, fc.nat(3), (sizes, chunkSizes, takeEvery) => {
      const { reader, account } = readerOf()
      const sent = sizes.map((size, index) => Buffer.alloc(size, index + 1))
      const stream = Buffer.concat(sent.map(framed))
      const got: Buffer[] = []
      for (let at = 0, turn = 0; at < stream.length; turn++) {
        const size = chunkSizes[turn % chunkSizes.length] as number
        feed(reader, stream.subarray(at, at + size))
        at += size
        // Frames that are not taken at once wait, and stay whole.
        if (turn % (takeEvery + 1) === 0) got.push(...takeAll(reader, account))
      }
      got.push(...takeAll(reader, account))
      expect(got.map((frame) => [frame.length, frame[0], frame.at(-1)])).toEqual(
        sent.map((frame) => [frame.length, frame[0], frame.at(-1)]),
      )
      expect(Buffer.concat(got).equals(Buffer.concat(sent))).toBe(true)
      reader.close()
      expect(account.bytes).toBe(0)
    }),
  )
})

test('whatever arrives, no more than a few times its size is held', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 50_000 }), (noise) => {
      const { reader, account } = readerOf()
      try {
        feed(reader, noise)
        takeAll(reader, account)
      } catch (error) {
        expect(['FRAME_TOO_LARGE', 'INVALID_REQUEST']).toContain((error as Error).name)
      }
      expect(account.peak).toBeLessThanOrEqual(96 * 1024 + 18 * noise.length)
    }),
  )
})

describe('a large frame', () => {
  test('that is announced and does not come costs no more than 64 kB', () => {
    const { reader, account } = readerOf()
    feed(reader, framed(Buffer.alloc(16 * MIB)).subarray(0, 14))
    reader.target()
    expect(account.peak).toBeLessThanOrEqual(64_000)
  })

  test('gets a buffer of exactly its size', () => {
    const { reader } = readerOf()
    feed(reader, framed(Buffer.alloc(MIB, 7)))
    const frame = reader.next()
    expect(frame?.length).toBe(MIB)
    expect(frame?.buffer.byteLength).toBe(MIB)
    expect(frame?.byteOffset).toBe(0)
  })

  test('is charged until its taker releases it', () => {
    const { reader, account } = readerOf()
    feed(reader, framed(Buffer.alloc(MIB, 7)))
    reader.next()
    reader.next()
    expect(account.bytes).toBe(MIB)
  })

  test('after one of its size is read into its buffer at once', () => {
    const { reader, account } = readerOf()
    feed(reader, framed(Buffer.alloc(MIB)))
    takeAll(reader, account)
    feed(reader, framed(Buffer.alloc(MIB)).subarray(0, 100_000))
    expect(reader.target().length).toBe(MIB + 4 - 100_000)
  })
})

describe('a length', () => {
  test('above the limit is refused before anything is allocated for it', () => {
    const { reader, account } = readerOf(1000)
    feed(reader, Buffer.of(0xff, 0xff, 0xff, 0xff))
    const before = account.bytes
    expect(() => reader.next()).toThrow(
      expect.objectContaining({ name: 'FRAME_TOO_LARGE', details: { max: 1000 } }),
    )
    expect(account.bytes).toBe(before)
  })

  test('equal to the limit is read, one more is not', () => {
    const { reader } = readerOf(1000)
    feed(reader, framed(Buffer.alloc(1000)))
    expect(reader.next()?.length).toBe(1000)
    feed(reader, framed(Buffer.alloc(1001)))
    expect(() => reader.next()).toThrow(expect.objectContaining({ name: 'FRAME_TOO_LARGE' }))
  })

  test.each([0, 1, 4])('of %i is too short for any message', (size) => {
    const { reader } = readerOf()
    feed(reader, framed(Buffer.alloc(size)))
    expect(() => reader.next()).toThrow(expect.objectContaining({ name: 'INVALID_REQUEST' }))
  })
})

describe('memory', () => {
  test('of an idle connection is none, beyond the doorstep', () => {
    const { reader, account } = readerOf()
    feed(reader, framed(Buffer.alloc(100)))
    takeAll(reader, account)
    expect(account.bytes).toBe(0)
    expect(reader.target().buffer.byteLength).toBe(4096)
    expect(account.bytes).toBe(0)
  })

  test('of a few small frames is hardly more than they are: a batch may stay where it is', () => {
    const { reader } = readerOf()
    feed(reader, framed(Buffer.alloc(100)))
    expect(reader.next()?.buffer.byteLength).toBe(104)
  })

  test('of many small frames is shared', () => {
    const { reader, account } = readerOf()
    feed(reader, Buffer.concat(Array.from({ length: 500 }, () => framed(Buffer.alloc(100)))))
    const owners = new Set(takeAll(reader, account).map(({ buffer }) => buffer))
    expect(owners.size).toBeLessThan(5)
  })

  test('with half a frame in it is kept', () => {
    const { reader, account } = readerOf()
    feed(reader, framed(Buffer.alloc(100, 3)).subarray(0, 50))
    expect(takeAll(reader, account)).toEqual([])
    feed(reader, framed(Buffer.alloc(100, 3)).subarray(50))
    expect(takeAll(reader, account)[0]).toEqual(Buffer.alloc(100, 3))
  })

  test('that a port asks for early, and fills late, is kept', () => {
    const { reader, account } = readerOf()
    const bytes = framed(Buffer.alloc(20_000, 3))
    let target = reader.target()
    for (let at = 0; at < bytes.length; ) {
      const size = Math.min(target.length, 3000, bytes.length - at)
      target.set(bytes.subarray(at, at + size))
      at += size
      reader.received(size)
      target = reader.target()
    }
    expect(takeAll(reader, account)[0]).toEqual(Buffer.alloc(20_000, 3))
  })

  test('is taken sparingly where there is no room', () => {
    const { reader, account } = readerOf()
    account.room = 0
    for (const size of [10, 4000, 40_000]) {
      feed(reader, framed(Buffer.alloc(16 * MIB)).subarray(0, size))
      reader.target()
      expect(account.bytes).toBeLessThanOrEqual(8192 + 2 * size)
      reader.close()
    }
  })

  test('for a large frame never exceeds the room by more than what has arrived', () => {
    const { reader, account } = readerOf()
    account.room = 3 * MIB
    feed(reader, framed(Buffer.alloc(16 * MIB)).subarray(0, MIB))
    reader.target()
    expect(account.bytes).toBeLessThanOrEqual(3 * MIB + MIB)
  })

  test('of frames that were taken is never written again', () => {
    const { reader, account } = readerOf()
    feed(reader, framed(Buffer.alloc(100, 3)))
    const [first] = takeAll(reader, account)
    for (let count = 0; count < 1000; count++) {
      feed(reader, framed(Buffer.alloc(100, 4)))
      takeAll(reader, account)
    }
    reader.discard()
    feed(reader, Buffer.alloc(100_000, 5))
    expect(first).toEqual(Buffer.alloc(100, 3))
  })

  test('is not needed for what is discarded', () => {
    const { reader, account } = readerOf()
    feed(reader, framed(Buffer.alloc(MIB)).subarray(0, 500_000))
    reader.discard()
    feed(reader, Buffer.alloc(MIB))
    expect(account.bytes).toBe(0)
    expect(reader.next()).toBeUndefined()
  })
})
