// A frame as a list of buffers for one gather write: the blobs go out as they are, never copied.
//
//   4 bytes length, big-endian │ array header │ items, msgpack │ c6 + 4 bytes size │ blob │ c6 + size │ blob ...
//
// Enters: the items of the message and its blobs. Leaves: the list; any msgpack library reads what it makes.
import { Buffer } from 'node:buffer'
import { assert } from '@minikafka/platform'
import { Encoder } from '@msgpack/msgpack'
import { ITEMS_MAX } from './envelope.ts'

export const LENGTH_SIZE = 4
const BLOB_HEADER_SIZE = 5
/** Above it the encoder, which keeps its largest buffer, is thrown away. */
const KEPT_BYTES_MAX = 1024 * 1024

/** One for all (PERFORMANCE 3): between two calls it holds nothing but its buffer, which is copied from at once. */
let encoder = new Encoder()

/** The first buffer is ours; the blobs are lent until the frame is sent. */
export function frameOf(items: readonly unknown[], blobs: readonly Uint8Array[]): Uint8Array[] {
  const count = items.length + blobs.length
  assert(items.length <= 15, 'the items in front of the blobs fit a one-byte array header')
  assert(count <= ITEMS_MAX, `a frame has at most ${ITEMS_MAX} items`)
  const encoded = encoder.encodeSharedRef(items)
  const arrayHeaderSize = count <= 15 ? 1 : 3
  const blobHeaderSize = blobs.length === 0 ? 0 : BLOB_HEADER_SIZE
  const itemsEnd = LENGTH_SIZE + arrayHeaderSize + encoded.length - 1
  const head = Buffer.allocUnsafe(itemsEnd + blobHeaderSize)
  head.set(encoded, LENGTH_SIZE + arrayHeaderSize - 1)
  if (encoded.length > KEPT_BYTES_MAX) encoder = new Encoder()
  if (count <= 15) head[LENGTH_SIZE] = 0x90 | count
  else {
    head[LENGTH_SIZE] = 0xdc
    head.writeUInt16BE(count, LENGTH_SIZE + 1)
  }
  const buffers: Uint8Array[] = [head]
  if (blobs.length > 0) addBlobs(buffers, blobs, head.subarray(itemsEnd))
  const size = frameSize(buffers) - LENGTH_SIZE
  assert(size <= 0xffff_ffff, 'a length fits four bytes')
  head.writeUInt32BE(size, 0)
  return buffers
}

/** The header of the first blob ends the head; those of the others share one buffer. */
function addBlobs(buffers: Uint8Array[], blobs: readonly Uint8Array[], firstHeader: Buffer): void {
  const headers = Buffer.allocUnsafe((blobs.length - 1) * BLOB_HEADER_SIZE)
  for (let index = 0; index < blobs.length; index++) {
    const blob = blobs[index] as Uint8Array
    const start = (index - 1) * BLOB_HEADER_SIZE
    const header = index === 0 ? firstHeader : headers.subarray(start, start + BLOB_HEADER_SIZE)
    header[0] = 0xc6
    header.writeUInt32BE(blob.length, 1)
    if (index > 0) buffers.push(header)
    if (blob.length > 0) buffers.push(blob)
  }
}

/** Bytes on the wire, the length prefix included. */
export function frameSize(buffers: readonly Uint8Array[]): number {
  let size = 0
  for (const buffer of buffers) size += buffer.length
  return size
}
