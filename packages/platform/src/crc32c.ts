// CRC-32C (Castagnoli), as record batches and all our checkpoints carry it.
// Native where that can be loaded: 4-5 GiB/s against 1 for our own (PERFORMANCE 3).
import { crc32cOwn } from './crc32c-own.ts'
import { type Crc32c, nativeCrc32c } from './node/native-crc32c.ts'

/** Below it a call into native code (250 ns) costs more than our own loop: so for the headers of batches, 61 bytes. */
const NATIVE_BYTES_MIN = 192

/**
 * Checksum of `bytes`; with `previous`, the checksum of all before them, that of both together.
 *
 * Units   unsigned 32 bits.
 */
export function crc32c(bytes: Uint8Array, previous = 0): number {
  if (bytes.length < NATIVE_BYTES_MIN) return crc32cOwn(bytes, previous)
  // Loaded for the first that is worth it: a command line that asks a question needs none, and loading takes 10 ms.
  ofLong ??= nativeCrc32c() ?? crc32cOwn
  return ofLong(bytes, previous)
}

let ofLong: Crc32c | undefined

/** As `crc32c`, of [from, end) of `bytes`: a short part takes no view, which would cost more than its sum. */
export function crc32cOfPart(bytes: Uint8Array, from: number, end: number, previous = 0): number {
  return end - from < NATIVE_BYTES_MIN
    ? crc32cOwn(bytes, previous, from, end)
    : crc32c(bytes.subarray(from, end), previous)
}
