// MessagePack of users' own values, for the client's codec: what the wire itself says goes through codec/.
import { decode, encode } from '@msgpack/msgpack'

export function encodeMsgpack(value: unknown): Uint8Array {
  return encode(value)
}

export function decodeMsgpack(bytes: Uint8Array): unknown {
  return decode(bytes)
}
