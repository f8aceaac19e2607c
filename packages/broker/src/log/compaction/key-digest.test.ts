import { expect, test } from 'vitest'
import { KeyDigest } from './key-digest.ts'

const SECRET = Buffer.from(Array.from({ length: 16 }, (_, index) => index))

/** As the reference prints it. */
function hex(digest: KeyDigest): string {
  const bytes = Buffer.alloc(16)
  const { first, second, third, fourth } = digest
  for (const [index, part] of [first, second, third, fourth].entries())
    bytes.writeInt32LE(part, index * 4)
  return bytes.toString('hex')
}

/** Of the bytes 0, 1, 2, … (the vectors of the reference implementation, 128 bits). */
const VECTORS: [number, string][] = [
  [0, 'a3817f04ba25a8e66df67214c7550293'],
  [1, 'da87c1d86b99af44347659119b22fc45'],
]

test('with 2 and 4 rounds it is SipHash-2-4-128, by the vectors of its authors', () => {
  const digest = new KeyDigest(SECRET, { block: 2, end: 4 })
  for (const [size, expected] of VECTORS) {
    digest.of(SECRET, 0, size)
    expect(hex(digest)).toBe(expected)
  }
})

test('each byte of the key, its length and each byte of the secret matter; its place does not', () => {
  const seen = new Set<string>()
  const digest = new KeyDigest(SECRET)
  const say = (bytes: Buffer, by = digest) => {
    by.of(bytes, 0, bytes.length)
    return hex(by)
  }
  for (let size = 0; size < 40; size++) {
    seen.add(say(Buffer.alloc(size)))
    for (let index = 0; index < size; index++) {
      const bytes = Buffer.alloc(size)
      bytes[index] = 1
      seen.add(say(bytes))
    }
  }
  for (let index = 0; index < 16; index++) {
    const secret = Buffer.from(SECRET)
    secret.writeUInt8(255, index)
    seen.add(say(Buffer.alloc(20), new KeyDigest(secret)))
  }
  expect(seen.size).toBe(40 + (39 * 40) / 2 + 16)
  const inside = Buffer.concat([
    Buffer.from('before'),
    Buffer.from('the key'),
    Buffer.from('behind'),
  ])
  digest.of(inside, 6, 7)
  expect(hex(digest)).toBe(say(Buffer.from('the key')))
})
