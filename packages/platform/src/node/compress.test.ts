import { expect, test } from 'vitest'
import { AssertionError } from '../assert.ts'
import { compressCompliance } from '../compliance/compress.ts'
import { nodeCompress } from './compress.ts'

compressCompliance('node', nodeCompress)

test('a codec that was not prepared is a programmer error, not a broken input', () => {
  const compress = nodeCompress()
  expect(() => compress.compress('zstd', Buffer.from('x'))).toThrow(AssertionError)
  expect(() => compress.decompress('snappy', Buffer.from('x'), 10)).toThrow(AssertionError)
})

test('a CompressionError keeps what the library said as its cause', () => {
  const compress = nodeCompress()
  try {
    compress.decompress('gzip', Buffer.from('no gzip'), 100)
    expect.unreachable()
  } catch (error) {
    expect((error as Error).message).toContain('broken gzip')
    expect((error as Error).cause).toBeInstanceOf(Error)
  }
})
