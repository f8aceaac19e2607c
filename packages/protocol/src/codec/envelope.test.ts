import { expect, test } from 'vitest'
import { Envelope } from './envelope.ts'

/** An array of `count` items: one empty array as the body, the rest empty blobs. */
function frameOf(count: number): Buffer {
  const head = Buffer.of(0xdd, 0, 0, 0, 0, 0x90)
  head.writeUInt32BE(count, 1)
  const blobs = Buffer.alloc((count - 1) * 2)
  for (let at = 0; at < blobs.length; at += 2) blobs[at] = 0xc4
  return Buffer.concat([head, blobs])
}

function blobsOf(count: number): number {
  return new Envelope(frameOf(count), 1, 32).content(undefined).blobs.length
}

test('a frame of 65,535 items is read, one of more is refused before a view is made of each', () => {
  expect(blobsOf(0xffff)).toBe(0xfffe)
  expect(() => blobsOf(0x1_0000)).toThrow('at most 65535 items')
  expect(() => blobsOf(1_000_000)).toThrow('at most 65535 items')
})
