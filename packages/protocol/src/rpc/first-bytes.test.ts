import { expect, test } from 'vitest'
import { decodeError } from '../codec/index.ts'
import { farewells, firstAnswer, firstBytes } from './first-bytes.ts'

test.each([
  ['minikafka', [0x00, 0x00, 0x01, 0x02, 0x95]],
  ['minikafka', [0x00, 0x00, 0x00, 0x00, 0x95]],
  ['kafka', [0x00, 0x00, 0x00, 0x2a, 0x00, 0x12]],
  ['tls', [0x16, 0x03, 0x01, 0x02, 0x95]],
  ['tls', [0x16, 0x03, 0x03]],
  ['noise', [0x16, 0x04]],
  ['noise', [0x00, 0x00, 0x00, 0x2a, 0x96]],
  ['noise', [0x00, 0x01, 0x00, 0x00, 0x95]],
  ['noise', [0xff, 0xff, 0xff, 0xff]],
  ['undecided', [0x00, 0x00, 0x00, 0x00]],
  ['undecided', [0x16]],
  ['undecided', []],
])('%s begins %j', (kind, bytes) => {
  expect(firstBytes(Uint8Array.from(bytes))).toBe(kind)
})

test.each([
  ['http', 'GET / HTTP/1.1'],
  ['http', 'POST /'],
  ['http', 'HEAD /'],
  ['http', 'PUT /'],
  ['http', 'DELETE /'],
  ['http', 'OPTIONS *'],
  ['http', 'PRI * HTTP/2.0'],
  ['undecided', 'GE'],
  ['undecided', 'P'],
  ['noise', 'GOT '],
  ['noise', 'hello'],
  ['noise', 'PROXY TCP4'],
])('%s begins "%s"', (kind, text) => {
  expect(firstBytes(Buffer.from(text))).toBe(kind)
})

test('it is decided by the fifth byte at the latest', () => {
  for (let first = 0; first < 256; first++) {
    for (const rest of [0x00, 0x03, 0x45, 0x95, 0xff]) {
      expect(firstBytes(Buffer.from([first, rest, rest, rest, rest]))).not.toBe('undecided')
    }
  }
})

test('the answer to HTTP is HTTP, to TLS a fatal alert, to noise an error frame', () => {
  const http = Buffer.concat(farewells.http.answer).toString()
  const [head, body] = http.split('\r\n\r\n')
  expect(head).toMatch(/^HTTP\/1\.1 400 /)
  expect(head).toContain(`Content-Length: ${body?.length}`)
  expect([...Buffer.concat(farewells.tls.answer)].slice(0, 6)).toEqual([21, 3, 3, 0, 2, 2])
  const noise = Buffer.concat(farewells.noise.answer).subarray(4)
  expect(decodeError(noise)?.name).toBe('INVALID_REQUEST')
})

test('a client recognizes what is no broker by its first answer', () => {
  expect(firstAnswer(Buffer.concat(farewells.tls.answer))).toBe('tls')
  expect(firstAnswer(Buffer.concat(farewells.http.answer))).toBe('http')
  expect(firstAnswer(Buffer.concat(farewells.noise.answer))).toBeUndefined()
})
