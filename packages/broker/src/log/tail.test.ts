import { FramePool } from '@minikafka/protocol'
import { expect, test } from 'vitest'
import { LogTail, Tail } from './tail.ts'

const KIB = 1024

function tailOf(bytesMax: number, frames = framesOf()): Tail {
  return new Tail(bytesMax, frames)
}

function framesOf(): FramePool {
  return new FramePool(1000 * KIB, { buggify: () => false })
}

/** A batch that fills its ArrayBuffer. */
function whole(size: number, fill = 1): Uint8Array {
  return new Uint8Array(size).fill(fill)
}

/** A batch that is a small part of its ArrayBuffer. */
function part(size: number, fill = 1): Uint8Array {
  return new Uint8Array(64 * KIB).subarray(100, 100 + size).fill(fill)
}

test('a batch that is most of its ArrayBuffer is kept by reference, and all of that is charged', () => {
  const tail = tailOf(100 * KIB)
  const log = new LogTail()
  const batch = new Uint8Array(10 * KIB).subarray(KIB)
  tail.append(log, batch, 0, 1)
  expect(tail.bytes).toBe(10 * KIB)
  expect(log.read(0, 1, 100, true)?.buffers[0]?.buffer).toBe(batch.buffer)
})

test('a batch that is under half of its ArrayBuffer is copied, large ones alone, small ones together', () => {
  const tail = tailOf(1000 * KIB)
  const log = new LogTail()
  const large = part(20 * KIB)
  tail.append(log, large, 0, 1)
  expect(tail.bytes).toBe(20 * KIB)
  for (let offset = 1; offset <= 10; offset++)
    tail.append(log, part(KIB, offset), offset, offset + 1)
  expect(tail.bytes).toBe(20 * KIB + 64 * KIB)
  const slice = log.read(1, 11, 100 * KIB, true)
  expect(slice).toMatchObject({ bytes: 10 * KIB, nextOffset: 11 })
  // Neighbours in memory are one view: a fetch of many small batches is no long list of buffers.
  expect(slice?.buffers).toHaveLength(1)
  expect(slice?.buffers[0]?.[9 * KIB]).toBe(10)
})

test('the partition that was used longest ago gives its oldest batches first', () => {
  const tail = tailOf(10 * KIB)
  const [first, second] = [new LogTail(), new LogTail()]
  for (let offset = 0; offset < 5; offset++) tail.append(first, whole(KIB), offset, offset + 1)
  for (let offset = 0; offset < 5; offset++) tail.append(second, whole(KIB), offset, offset + 1)
  tail.touch(first)
  tail.append(first, whole(2 * KIB), 5, 6)
  expect(second.startOffset).toBe(2)
  expect(first.startOffset).toBe(0)
  expect(tail.bytes).toBe(10 * KIB)
  tail.setBytesMax(0)
  expect(tail.bytes).toBe(0)
  expect(first.read(5, 6, 100, true)).toBeUndefined()
})

test('a batch larger than the whole tail empties that of its log', () => {
  const tail = tailOf(2 * KIB)
  const log = new LogTail()
  tail.append(log, whole(KIB), 0, 1)
  tail.append(log, whole(3 * KIB), 1, 2)
  expect(tail.bytes).toBe(0)
  tail.append(log, whole(KIB), 2, 3)
  expect(log.startOffset).toBe(2)
})

test('after a cut the tail ends where the log ends', () => {
  const tail = tailOf(100 * KIB)
  const log = new LogTail()
  for (let offset = 0; offset < 10; offset += 2) tail.append(log, whole(KIB), offset, offset + 2)
  tail.cut(log, 6)
  expect(log.endOffset).toBe(6)
  expect(tail.bytes).toBe(3 * KIB)
  tail.append(log, whole(KIB, 9), 6, 7)
  expect(log.read(6, 7, 10, true)?.buffers[0]?.[0]).toBe(9)
})

test('a read takes whole batches below the bound, and a bounded number of buffers', () => {
  const tail = tailOf(10_000 * KIB)
  const log = new LogTail()
  for (let offset = 0; offset < 1000; offset++) tail.append(log, whole(100), offset, offset + 1)
  const slice = log.read(0, 1000, 10_000 * KIB, true)
  expect(slice?.buffers.length).toBeLessThanOrEqual(128)
  expect(slice?.nextOffset).toBe(slice?.buffers.length)
  expect(log.read(500, 503, 10_000, true)).toMatchObject({ bytes: 300, nextOffset: 503 })
})

test('many batches through a small tail leave nothing behind', () => {
  const tail = tailOf(50 * KIB)
  const log = new LogTail()
  for (let offset = 0; offset < 20_000; offset++) {
    tail.append(log, offset % 3 === 0 ? part(500) : whole(700), offset, offset + 1)
    expect(tail.bytes).toBeLessThanOrEqual(64 * KIB + 50 * KIB)
  }
  expect(log.endOffset).toBe(20_000)
  tail.clear(log)
  expect(tail.bytes).toBe(0)
})

test('what was compacted is forgotten: batches that end at or before an offset, and their memory', () => {
  const tail = tailOf(100 * KIB)
  const log = new LogTail()
  for (let offset = 0; offset < 10; offset += 2) tail.append(log, whole(KIB), offset, offset + 2)
  tail.dropBelow(log, 5)
  expect([log.startOffset, log.endOffset, tail.bytes]).toEqual([4, 10, 3 * KIB])
  expect(log.read(3, 10, 100 * KIB, true)).toBeUndefined()
  tail.dropBelow(log, 10)
  expect([log.empty, tail.bytes]).toEqual([true, 0])
  tail.append(log, whole(KIB), 10, 11)
  expect(log.read(10, 11, 100 * KIB, true)).toMatchObject({ nextOffset: 11 })
})

test('memory of a large frame is used again when the tail has given up all that it keeps there', () => {
  const frames = framesOf()
  const tail = tailOf(1000 * KIB, frames)
  const log = new LogTail()
  const frame = frames.take(64 * KIB)
  tail.append(log, frame.subarray(0, 40 * KIB), 0, 1)
  tail.append(log, frame.subarray(0, 40 * KIB), 1, 2)
  frames.letGo(frame.buffer)
  tail.dropBelow(log, 1)
  expect(frames.idleBytes).toBe(0)
  tail.dropBelow(log, 2)
  expect(frames.idleBytes).toBe(64 * KIB)
  expect(frames.take(64 * KIB).buffer).toBe(frame.buffer)
})
