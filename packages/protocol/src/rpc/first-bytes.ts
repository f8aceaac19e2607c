// How a connection begins: who is calling? Enters: the first bytes. Leaves: which codec, or what to say before closing.
// The place where a second codec will be chosen. Source: SECURITY "How a connection begins".
import { Buffer } from 'node:buffer'
import { encodeError } from '../codec/index.ts'
import { MinikafkaError } from '../errors.ts'

export type FirstBytes = 'undecided' | 'minikafka' | 'kafka' | 'tls' | 'http' | 'noise'

const DECIDED_BY = 5
/** msgpack, array of five: the first frame is a request without blobs. */
const ARRAY_OF_FIVE = 0x95

/**
 * `undecided` until enough has come: at most five bytes. The first frame is ApiVersions, below 64 KiB: its length
 * begins with two zeros.
 */
export function firstBytes(bytes: Uint8Array): FirstBytes {
  if (bytes.length === 0) return 'undecided'
  if (bytes[0] === 0x16) return tls(bytes)
  if (bytes[0] !== 0x00) return http(bytes)
  if (bytes.length >= 2 && bytes[1] !== 0x00) return 'noise'
  if (bytes.length < DECIDED_BY) return 'undecided'
  if (bytes[4] === ARRAY_OF_FIVE) return 'minikafka'
  return bytes[4] === 0x00 ? 'kafka' : 'noise'
}

/** A handshake record of SSL 3.0 to TLS 1.3; decided by two bytes, the fifth may be anything. */
function tls(bytes: Uint8Array): FirstBytes {
  if (bytes.length < 2) return 'undecided'
  return bytes[1] === 0x03 ? 'tls' : 'noise'
}

const METHOD_SIZE = 4
/** Beginnings of HTTP/1 requests, and of the HTTP/2 preface. */
const METHODS = 'GET ,HEAD,POST,PUT ,DELE,OPTI,PATC,CONN,TRAC,PRI '.split(',')

function http(bytes: Uint8Array): FirstBytes {
  const begin = Buffer.from(bytes.subarray(0, METHOD_SIZE)).toString('latin1')
  if (METHODS.includes(begin)) return 'http'
  return METHODS.some((method) => method.startsWith(begin)) ? 'undecided' : 'noise'
}

const HTTP_BODY =
  'This port speaks the minikafka protocol, not HTTP. Try: npx minikafka cluster info -b HOST:PORT\n'

const HTTP_ANSWER = Buffer.from(
  [
    'HTTP/1.1 400 Bad Request',
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${HTTP_BODY.length}`,
    'Connection: close',
    '',
    HTTP_BODY,
  ].join('\r\n'),
)

/** Record of type alert (21), TLS 1.2 on the wire, two bytes: fatal (2), handshake_failure (40). RFC 8446, 6. */
const TLS_ALERT = Buffer.from([0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x28])

const NOISE = 'these are not the first bytes of the minikafka protocol'
const NOISE_ANSWER = encodeError(-1, new MinikafkaError('INVALID_REQUEST', { message: NOISE }))

/** What is answered before the connection is closed, and what the log says. */
export const farewells = {
  tls: { detail: 'TLS on a plaintext port', answer: [TLS_ALERT] },
  http: { detail: 'HTTP on a port of the minikafka protocol', answer: [HTTP_ANSWER] },
  kafka: { detail: 'Kafka protocol, which is not spoken on this port', answer: [] },
  noise: { detail: NOISE, answer: NOISE_ANSWER },
} as const

/** What the other side is, when a client reads its first bytes instead of a frame; undefined: perhaps a frame. */
export function firstAnswer(bytes: Uint8Array): 'tls' | 'http' | undefined {
  if ((bytes[0] === 0x15 || bytes[0] === 0x16) && bytes[1] === 0x03) return 'tls'
  const begin = Buffer.from(bytes.subarray(0, METHOD_SIZE)).toString('latin1')
  return begin === 'HTTP' ? 'http' : undefined
}
