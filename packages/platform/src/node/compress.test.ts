import { expect, test } from 'vitest'
import { AssertionError } from '../assert.ts'
import { compressCompliance } from '../compliance/compress.ts'
import { bombs } from '../compliance/compress-samples.ts'
import { nodeCompress } from './compress.ts'

compressCompliance('node', nodeCompress)

test('a codec that was not prepared is a programmer error, not a broken input', () => {
  const compress = nodeCompress()
  expect(() => compress.compress('zstd', Buffer.from('x'))).toThrow(AssertionError)
  expect(() => compress.decompress('snappy', Buffer.from('x'), 10)).toThrow(AssertionError)
})

test('what a codec meets in broken input stays the cause of the error', () => {
  const compress = nodeCompress()
  expect(() => compress.decompress('gzip', Buffer.from('no gzip'), 100)).toThrow(
    expect.objectContaining({
      message: expect.stringContaining('broken gzip'),
      cause: expect.objectContaining({ code: 'Z_DATA_ERROR' }),
    }),
  )
})

test('gzip is stopped by zlib at the bound, not after it', () => {
  const compress = nodeCompress()
  const bomb = compress.compress('gzip', Buffer.alloc(1024 * 1024))
  expect(() => compress.decompress('gzip', bomb, 1000)).toThrow(
    expect.objectContaining({ cause: expect.objectContaining({ code: 'ERR_BUFFER_TOO_LARGE' }) }),
  )
})

test('bombs cost no memory: twenty rounds of them leave the process as it was', async () => {
  const compress = nodeCompress()
  for (const name of ['snappy', 'lz4', 'zstd'] as const) await compress.prepare(name)
  const all = bombs()
  const explode = () => {
    for (const { codec, input } of all) {
      expect(() => compress.decompress(codec, input, 1024 * 1024)).toThrow()
    }
  }
  explode()
  const before = process.memoryUsage.rss()
  for (let round = 0; round < 20; round++) explode()
  expect(process.memoryUsage.rss() - before).toBeLessThan(200 * 1024 * 1024)
})
