// CRC-32C (Castagnoli), as record batches and all our checkpoints carry it. Source: RFC 3720, appendix B.4.
// Enters: bytes, and the sum of what came before. Leaves: an unsigned 32-bit number.

import { crc32cOwn } from './crc32c-own.ts'
import { nativeCrc32c } from './node/native-crc32c.ts'

/** Below this the call into native code costs more than the work (measured: 40 bytes). */
const NATIVE_FROM_BYTES = 64

const native = nativeCrc32c()

/** `previous` continues a sum: crc32c(b, crc32c(a)) is the sum of a followed by b. */
export function crc32c(bytes: Uint8Array, previous = 0): number {
  if (native === undefined || bytes.length < NATIVE_FROM_BYTES) return crc32cOwn(bytes, previous)
  return native(bytes, previous)
}
