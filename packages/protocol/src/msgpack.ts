// MessagePack of users' own values, for the client's codec, and of what brokers keep: what the wire itself says goes
// through codec/.
import { decode, Encoder } from '@msgpack/msgpack'

/** A buffer that grew beyond it for a large value is not kept. */
const KEPT_BYTES_MAX = 64 * 1024

/** Keeps its buffer, which is copied from: one made for each value would cost more than most values. */
let encoder = new Encoder()

export function encodeMsgpack(value: unknown): Uint8Array {
  const bytes = encoder.encode(value)
  if (bytes.length > KEPT_BYTES_MAX) encoder = new Encoder()
  return bytes
}

/** A list of so many items has at least so many bytes: what claims more gets no memory for it. */
export function decodeMsgpack(bytes: Uint8Array): unknown {
  return decode(bytes, { maxArrayLength: bytes.length, maxMapLength: bytes.length })
}
