// Big-endian integers by index: a batch is a Uint8Array that may start anywhere in a frame, and a DataView
// or a subarray per field would cost more than the field. int64 becomes a number without a BigInt.

const TWO_TO_32 = 2 ** 32

export function int16At(bytes: Uint8Array, position: number): number {
  return (((bytes[position] as number) << 24) >> 16) | (bytes[position + 1] as number)
}

export function int32At(bytes: Uint8Array, position: number): number {
  return (
    ((bytes[position] as number) << 24) |
    ((bytes[position + 1] as number) << 16) |
    ((bytes[position + 2] as number) << 8) |
    (bytes[position + 3] as number)
  )
}

export function uint32At(bytes: Uint8Array, position: number): number {
  return int32At(bytes, position) >>> 0
}

/** Exact where it is a safe integer; beyond, it comes rounded and `Number.isSafeInteger` still says no. */
export function int64At(bytes: Uint8Array, position: number): number {
  return int32At(bytes, position) * TWO_TO_32 + uint32At(bytes, position + 4)
}

export function putInt16(bytes: Uint8Array, position: number, value: number): void {
  bytes[position] = value >> 8
  bytes[position + 1] = value
}

/** Takes int32 and uint32 alike. */
export function putInt32(bytes: Uint8Array, position: number, value: number): void {
  bytes[position] = value >> 24
  bytes[position + 1] = value >> 16
  bytes[position + 2] = value >> 8
  bytes[position + 3] = value
}

/** `value` is a safe integer; two's complement below zero. */
export function putInt64(bytes: Uint8Array, position: number, value: number): void {
  putInt32(bytes, position, Math.floor(value / TWO_TO_32))
  // ToInt32 of the bitwise operators takes a number modulo 2^32, exactly, below zero too.
  putInt32(bytes, position + 4, value | 0)
}
