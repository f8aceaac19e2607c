import { expect, test } from 'vitest'
import { batchesIn } from './batches-in.ts'
import { BATCH_HEADER_SIZE } from './layout.ts'

function headersOf(count: number): Buffer {
  const batch = Buffer.alloc(BATCH_HEADER_SIZE)
  batch.writeInt32BE(BATCH_HEADER_SIZE - 12, 8)
  return Buffer.concat(Array.from({ length: count }, () => batch))
}

test('a blob is cut into the batches that it holds, without a copy', () => {
  const blob = headersOf(3)
  const batches = batchesIn(blob)
  expect(batches.map(({ byteOffset }) => byteOffset - blob.byteOffset)).toEqual([0, 61, 122])
  expect(batchesIn(Buffer.alloc(0))).toEqual([])
})

test.each([-0x24242425, -12, 0, 48, 50, 0x7fffffff])(
  'a length of %i ends it with an error',
  (length) => {
    const blob = headersOf(2)
    blob.writeInt32BE(length, BATCH_HEADER_SIZE + 8)
    expect(() => batchesIn(blob)).toThrow(expect.objectContaining({ name: 'CORRUPT_MESSAGE' }))
  },
)

test('so does a rest that is no header', () => {
  const blob = headersOf(2)
  for (const size of [1, 60, 62, 121]) {
    expect(() => batchesIn(blob.subarray(0, size))).toThrow('cannot stand where')
  }
})
