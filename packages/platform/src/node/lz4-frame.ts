// The lz4 frame format, as Kafka uses it since record format v1: one frame, its blocks independent.
//
//    0  magic            uint32   0x184D2204, little-endian as everything here
//    4  FLG              bits 7-6 version (01), 5 blocks independent, 4 block checksums, 3 content size,
//                        2 content checksum, 1 reserved, 0 dictionary id
//    5  BD               bits 6-4 greatest block: 4 = 64 KiB, 5 = 256 KiB, 6 = 1 MiB, 7 = 4 MiB; others reserved
//    6  content size     uint64, if FLG says so
//    .. HC               second byte of xxhash32 over FLG to here
//    .. blocks           uint32 size, highest bit: stored uncompressed; the bytes; a checksum, if FLG says so
//    .. end              uint32 0; the checksum of the content, if FLG says so
//
// Source: lz4 doc/lz4_Frame_format.md 1.6; Kafka Lz4BlockOutputStream.
import { CompressionError } from '../env.ts'
import { decodeLz4Block, encodeLz4Block, lz4BlockSizeMax, lz4HashTable } from './lz4-block.ts'
import { xxhash32 } from './lz4-xxhash.ts'

const MAGIC = 0x184d2204
const VERSION_1 = 0x40
const VERSION_MASK = 0xc0
const INDEPENDENT = 0x20
const BLOCK_CHECKSUM = 0x10
const CONTENT_SIZE = 0x08
const CONTENT_CHECKSUM = 0x04
const FLG_RESERVED = 0x02
const DICTIONARY = 0x01
const BD_RESERVED = 0x8f
const STORED = 0x80000000

/** Independent blocks of 64 KiB without checksums, as the Java client writes them: the batch has a CRC. */
const HEADER = Buffer.from('04224d18604082', 'hex')
const BLOCK_BYTES_MAX = 64 * 1024
const RATIO_MAX = 255

export type Lz4Frame = {
  readonly independent: boolean
  readonly blockBytesMax: number
  readonly blocks: readonly { start: number; end: number; stored: boolean }[]
  /** As declared, if so. */
  readonly contentSize: number | undefined
  readonly contentChecksum: number | undefined
  /** No content of these blocks is longer. */
  readonly sizeMax: number
}

export function compressLz4Frame(input: Uint8Array): Buffer {
  const blockCount = Math.ceil(input.length / BLOCK_BYTES_MAX)
  const sizeMax = HEADER.length + blockCount * (4 + lz4BlockSizeMax(BLOCK_BYTES_MAX)) + 4
  const output = Buffer.allocUnsafeSlow(sizeMax)
  output.set(HEADER)
  const table = lz4HashTable()
  let at = HEADER.length
  for (let start = 0; start < input.length; start += BLOCK_BYTES_MAX) {
    const end = Math.min(start + BLOCK_BYTES_MAX, input.length)
    const blockEnd = encodeLz4Block(input, start, end, output, at + 4, table)
    const size = blockEnd - at - 4
    if (size < end - start) {
      output.writeUInt32LE(size, at)
      at = blockEnd
    } else {
      output.writeUInt32LE(STORED + end - start, at)
      output.set(input.subarray(start, end), at + 4)
      at += 4 + end - start
    }
  }
  output.writeUInt32LE(0, at)
  return output.subarray(0, at + 4)
}

export function decompressLz4Frame(bytes: Uint8Array, sizeMax: number): Buffer {
  const input = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const frame = readLz4Frame(input)
  const contentSize = frame.contentSize ?? 0
  if (contentSize > sizeMax) refuse(`declares ${contentSize} bytes, over ${sizeMax}`)
  const output = Buffer.allocUnsafeSlow(Math.min(frame.sizeMax, sizeMax))
  let at = 0
  for (const { start, end, stored } of frame.blocks) {
    const limit = Math.min(at + frame.blockBytesMax, output.length)
    if (stored) {
      if (end - start > limit - at) refuse(`gives more than ${sizeMax} bytes`)
      at += input.copy(output, at, start, end)
    } else {
      at = decodeLz4Block(input, start, end, output, at, frame.independent ? at : 0, limit)
    }
  }
  const content = output.subarray(0, at)
  checkContent(frame, content)
  // A view of less than half of its memory is copied once.
  return at * 2 < output.length ? Buffer.from(content) : content
}

/** Walks a frame without decoding it: header, every block's bounds and checksum, end. It must end with `bytes`. */
export function readLz4Frame(bytes: Uint8Array): Lz4Frame {
  const input = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const head = readHeader(input)
  const blocks: { start: number; end: number; stored: boolean }[] = []
  let position = head.end
  let sizeMax = 0
  for (;;) {
    const word = uint32(input, position)
    position += 4
    if (word === 0) break
    const stored = word >= STORED
    const size = stored ? word - STORED : word
    if (size > head.blockBytesMax) refuse(`has a block of ${size} bytes`)
    const end = position + size
    if (end > input.length) refuse('ends within a block')
    blocks.push({ start: position, end, stored })
    sizeMax += stored ? size : Math.min(head.blockBytesMax, size * RATIO_MAX)
    position = end
    if (!head.blockChecksums) continue
    if (uint32(input, position) !== xxhash32(input, end - size, end)) refuse('has a corrupt block')
    position += 4
  }
  const contentChecksum = head.contentChecksum ? uint32(input, position) : undefined
  if (position + (head.contentChecksum ? 4 : 0) !== input.length) refuse('goes on after its end')
  const { independent, blockBytesMax, contentSize } = head
  if (contentSize !== undefined && contentSize > sizeMax) {
    refuse(`declares ${contentSize} bytes in ${input.length}`)
  }
  return { independent, blockBytesMax, blocks, contentSize, contentChecksum, sizeMax }
}

function readHeader(input: Buffer) {
  if (input.length < HEADER.length || uint32(input, 0) !== MAGIC) refuse('has no frame header')
  const flags = input.readUInt8(4)
  const descriptor = input.readUInt8(5)
  if ((flags & VERSION_MASK) !== VERSION_1) refuse('is of another version')
  if ((flags & FLG_RESERVED) !== 0 || (descriptor & BD_RESERVED) !== 0) refuse('sets reserved bits')
  if ((flags & DICTIONARY) !== 0) refuse('needs a dictionary')
  const blockSizeId = descriptor >> 4
  if (blockSizeId < 4) refuse(`has the block size ${blockSizeId}`)
  const hasSize = (flags & CONTENT_SIZE) !== 0
  const checksumAt = hasSize ? 14 : 6
  if (checksumAt >= input.length) refuse('ends within its header')
  if (input.readUInt8(checksumAt) !== ((xxhash32(input, 4, checksumAt) >>> 8) & 0xff)) {
    refuse('has a corrupt header')
  }
  return {
    independent: (flags & INDEPENDENT) !== 0,
    blockChecksums: (flags & BLOCK_CHECKSUM) !== 0,
    contentChecksum: (flags & CONTENT_CHECKSUM) !== 0,
    contentSize: hasSize ? input.readUInt32LE(6) + input.readUInt32LE(10) * 2 ** 32 : undefined,
    blockBytesMax: 4 ** (blockSizeId + 4),
    end: checksumAt + 1,
  }
}

function checkContent(frame: Lz4Frame, content: Buffer): void {
  if (frame.contentSize !== undefined && frame.contentSize !== content.length) {
    refuse(`declares ${frame.contentSize} bytes and gives ${content.length}`)
  }
  if (frame.contentChecksum === undefined) return
  if (frame.contentChecksum !== xxhash32(content, 0, content.length)) refuse('has corrupt content')
}

function uint32(input: Buffer, position: number): number {
  if (position + 4 > input.length) refuse('ends too early')
  return input.readUInt32LE(position)
}

function refuse(problem: string): never {
  throw new CompressionError(`the lz4 frame ${problem}`)
}
