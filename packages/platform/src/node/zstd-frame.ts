// Walks zstd frames without decoding them, so that no decoder meets a window or a size that it would allocate for.
//
//   magic 0xFD2FB528, descriptor, [window], [dictionary id], [content size], blocks, [checksum]
//   descriptor   bits 7-6 width of the content size, 5 single segment (no window), 3 reserved, 2 checksum, 1-0 dictionary
//   block        3 bytes: bit 0 last, bits 2-1 type (0 raw, 1 one byte repeated, 2 compressed), the rest its size
//
// Numbers are little-endian. A skippable frame is 0x184D2A5?, its size, and bytes that mean nothing to us.
// Source: RFC 8878, section 3.
import { CompressionError } from '../env.ts'

const MAGIC = 0xfd2fb528
const SKIPPABLE_MAGIC = 0x184d2a5
const SINGLE_SEGMENT = 0x20
const RESERVED = 0x08
const CHECKSUM = 0x04
const BLOCK_BYTES_MAX = 128 * 1024
/** What the reference decoder accepts unasked (ZSTD_WINDOWLOG_LIMIT_DEFAULT, 27); level 22 writes such frames. */
const WINDOW_BYTES_MAX = 128 * 1024 * 1024
/** By the two bits of the descriptor. */
const DICTIONARY_BYTES = [0, 1, 2, 4] as const

export type ZstdFrame = {
  readonly start: number
  readonly end: number
  /** As declared, if so. */
  readonly contentSize: number | undefined
  /** No content of these blocks is longer. */
  readonly sizeMax: number
}

/** All frames of `bytes`, skippable ones left out. Errors: CompressionError. */
export function readZstdFrames(bytes: Uint8Array): ZstdFrame[] {
  const input = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const frames: ZstdFrame[] = []
  let position = 0
  while (position < input.length) {
    const magic = number(input, position, 4)
    if (magic >>> 4 === SKIPPABLE_MAGIC) {
      position += 8 + number(input, position + 4, 4)
      if (position > input.length) refuse('ends within a skippable frame')
      continue
    }
    if (magic !== MAGIC) refuse('has no frame header')
    const frame = readFrame(input, position)
    frames.push(frame)
    position = frame.end
  }
  if (frames.length === 0) refuse('is empty')
  return frames
}

function readFrame(input: Buffer, start: number): ZstdFrame {
  const { blocksStart, windowSize, contentSize, checksum } = readHeader(input, start)
  if (windowSize > WINDOW_BYTES_MAX) refuse(`needs a window of ${windowSize} bytes`)
  const blockBytesMax = Math.min(windowSize, BLOCK_BYTES_MAX)
  let position = blocksStart
  let sizeMax = 0
  for (let last = false; !last; ) {
    const head = number(input, position, 3)
    last = (head & 1) === 1
    const type = (head >> 1) & 3
    const size = head >> 3
    if (type === 3) refuse('has a block of a reserved type')
    if (size > blockBytesMax) refuse(`has a block of ${size} bytes`)
    position += 3 + (type === 1 ? 1 : size)
    if (position > input.length) refuse('ends within a block')
    sizeMax += type === 2 ? blockBytesMax : size
  }
  const end = position + (checksum ? 4 : 0)
  if (end > input.length) refuse('ends within its checksum')
  if (contentSize !== undefined && contentSize > sizeMax) {
    refuse(`declares ${contentSize} bytes in ${end - start}`)
  }
  return { start, end, contentSize, sizeMax }
}

function readHeader(input: Buffer, start: number) {
  const descriptor = number(input, start + 4, 1)
  if ((descriptor & RESERVED) !== 0) refuse('sets a reserved bit')
  const singleSegment = (descriptor & SINGLE_SEGMENT) !== 0
  let position = start + 5
  const windowByte = singleSegment ? 0 : number(input, position++, 1)
  const dictionaryBytes = DICTIONARY_BYTES[(descriptor & 3) as 0 | 1 | 2 | 3]
  if (number(input, position, dictionaryBytes) !== 0) refuse('needs a dictionary')
  position += dictionaryBytes
  const contentSizeBytes = contentSizeWidth(descriptor >> 6, singleSegment)
  const declared = number(input, position, contentSizeBytes)
  // Two bytes count from 256, for one would do below.
  const contentSize = contentSizeBytes === 2 ? declared + 256 : declared
  return {
    blocksStart: position + contentSizeBytes,
    windowSize: singleSegment ? contentSize : windowBytes(windowByte),
    contentSize: contentSizeBytes === 0 ? undefined : contentSize,
    checksum: (descriptor & CHECKSUM) !== 0,
  }
}

function contentSizeWidth(flag: number, singleSegment: boolean): number {
  if (flag === 0) return singleSegment ? 1 : 0
  return 2 ** flag
}

function windowBytes(byte: number): number {
  const base = 2 ** (10 + (byte >> 3))
  return base + (base / 8) * (byte & 7)
}

/** `size` bytes, little-endian; beyond 2^53 rounded, which every limit here is far below. */
function number(input: Buffer, position: number, size: number): number {
  if (position + size > input.length) refuse('ends too early')
  let value = 0
  for (let index = size - 1; index >= 0; index--)
    value = value * 0x100 + input.readUInt8(position + index)
  return value
}

function refuse(problem: string): never {
  throw new CompressionError(`the zstd frame ${problem}`)
}
