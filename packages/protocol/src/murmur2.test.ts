import { expect, test } from 'vitest'
import { javaHashes, javaHashOfAllBytes } from '../testdata/java-client.ts'
import { murmur2 } from './murmur2.ts'

test.each(javaHashes)('the hash of %j is the one of the Java client', (text, hash) => {
  expect(murmur2(Buffer.from(text))).toBe(hash)
})

test('bytes above 127 count as in the Java client', () => {
  expect(murmur2(Uint8Array.from({ length: 256 }, (_, byte) => byte))).toBe(javaHashOfAllBytes)
})

test('a view hashes as its bytes do, wherever it begins', () => {
  const memory = Buffer.from('xxfoobarxx')
  expect(murmur2(memory.subarray(2, 8))).toBe(-790332482)
})
