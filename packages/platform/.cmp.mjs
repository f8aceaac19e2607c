// ../../tmp/stub/platform.ts
import { createRequire } from 'node:module'

// packages/platform/src/assert.ts
var AssertionError = class extends Error {
  name = 'AssertionError'
}
function assert(condition, sentence) {
  if (!condition) throw new AssertionError(sentence)
}

// packages/platform/src/env.ts
var CompressionError = class extends Error {
  name = 'CompressionError'
}

// packages/platform/src/node/gzip.ts
import { gunzipSync, gzipSync } from 'node:zlib'

function gzipCodec() {
  return {
    prepare: async () => {},
    assertPrepared: () => {},
    compress: (input) => gzipSync(input),
    decompress(input, sizeMax) {
      const output = gunzipSync(input, { maxOutputLength: Math.max(sizeMax, 1) })
      if (output.length > sizeMax) throw new CompressionError(`gives more than ${sizeMax} bytes`)
      return output
    },
  }
}

// packages/platform/src/node/lz4-block.ts
var MATCH_MIN = 4
var OFFSET_MAX = 65535
var LAST_LITERALS = 5
var MATCH_START_LIMIT = 12
var HASH_BITS = 14
var HASH_FACTOR = 2654435761 | 0
var SKIP_SHIFT = 6
var LONG_COPY_BYTES = 32
function lz4HashTable() {
  return new Int32Array(1 << HASH_BITS)
}
function lz4BlockSizeMax(size) {
  return size + Math.ceil(size / 255) + 16
}
function encodeLz4Block(input, start, end, output, outputStart, table) {
  const words = new DataView(input.buffer, input.byteOffset, input.byteLength)
  const matchStartMax = end - MATCH_START_LIMIT
  const matchEndMax = end - LAST_LITERALS
  let at = outputStart
  let literalsStart = start
  let position = start
  let tries = 1 << SKIP_SHIFT
  while (position <= matchStartMax) {
    const word2 = words.getInt32(position, true)
    const slot = Math.imul(word2, HASH_FACTOR) >>> (32 - HASH_BITS)
    const candidate = table[slot] - 1
    table[slot] = position + 1
    const near = candidate >= start && position - candidate <= OFFSET_MAX
    if (!near || words.getInt32(candidate, true) !== word2) {
      position += tries++ >>> SKIP_SHIFT
      continue
    }
    let match = position + MATCH_MIN
    while (match < matchEndMax && input[match] === input[candidate + match - position]) match++
    at = putLiterals(input, literalsStart, position, match - position - MATCH_MIN, output, at)
    const offset = position - candidate
    output[at++] = offset
    output[at++] = offset >>> 8
    at = putMore(output, at, match - position - MATCH_MIN)
    position = literalsStart = match
    tries = 1 << SKIP_SHIFT
  }
  return putLiterals(input, literalsStart, end, 0, output, at)
}
function putLiterals(input, start, end, matchExtra, output, tokenAt) {
  const count = end - start
  output[tokenAt] = (Math.min(count, 15) << 4) | Math.min(matchExtra, 15)
  const at = putMore(output, tokenAt + 1, count)
  copyBytes(input, start, output, at, count)
  return at + count
}
function putMore(output, start, length) {
  let at = start
  if (length < 15) return at
  let rest = length - 15
  for (; rest >= 255; rest -= 255) output[at++] = 255
  output[at++] = rest
  return at
}
function decodeLz4Block(input, start, end, output, outputStart, reach, limit) {
  let position = start
  let at = outputStart
  while (position < end) {
    const token = input[position++]
    let literals = token >>> 4
    if (literals === 15) {
      const more = readMore(input, position, end)
      literals += more
      position += moreBytes(more)
    }
    if (literals > end - position || literals > limit - at) refuse()
    copyBytes(input, position, output, at, literals)
    position += literals
    at += literals
    if (position === end) return at
    if (end - position < 2) refuse()
    const offset = input[position] | (input[position + 1] << 8)
    position += 2
    let length = token & 15
    if (length === 15) {
      const more = readMore(input, position, end)
      length += more
      position += moreBytes(more)
    }
    length += MATCH_MIN
    if (offset === 0 || offset > at - reach || length > limit - at) refuse()
    if (length >= LONG_COPY_BYTES && offset >= length) {
      output.copyWithin(at, at - offset, at - offset + length)
      at += length
    } else {
      for (const stop = at + length; at < stop; at++) output[at] = output[at - offset]
    }
  }
  return refuse()
}
function readMore(input, start, end) {
  let more = 0
  for (let position = start; position < end; position++) {
    const byte = input[position]
    more += byte
    if (byte !== 255) return more
  }
  return refuse()
}
function moreBytes(more) {
  return Math.floor(more / 255) + 1
}
function copyBytes(input, from, output, to, size) {
  if (size >= LONG_COPY_BYTES) {
    output.set(input.subarray(from, from + size), to)
    return
  }
  for (let index = 0; index < size; index++) output[to + index] = input[from + index]
}
function refuse() {
  throw new CompressionError('an lz4 block reaches beyond its bytes or its bound')
}

// packages/platform/src/node/lz4-xxhash.ts
var PRIME_1 = 2654435761 | 0
var PRIME_2 = 2246822519 | 0
var PRIME_3 = 3266489917 | 0
var PRIME_4 = 668265263
var PRIME_5 = 374761393
var STRIPE_BYTES = 16
function xxhash32(bytes, start, end) {
  const size = end - start
  const stripesEnd = start + size - (size % STRIPE_BYTES)
  let hash = (stripesEnd === start ? PRIME_5 : sumStripes(bytes, start, stripesEnd)) + size
  let position = stripesEnd
  for (; position + 4 <= end; position += 4) {
    hash = Math.imul(rotate(hash + Math.imul(word(bytes, position), PRIME_3), 17), PRIME_4)
  }
  for (; position < end; position++) {
    hash = Math.imul(rotate(hash + Math.imul(bytes[position], PRIME_5), 11), PRIME_1)
  }
  hash = Math.imul(hash ^ (hash >>> 15), PRIME_2)
  hash = Math.imul(hash ^ (hash >>> 13), PRIME_3)
  return (hash ^ (hash >>> 16)) >>> 0
}
function sumStripes(bytes, start, end) {
  let a = (PRIME_1 + PRIME_2) | 0
  let b = PRIME_2
  let c2 = 0
  let d = -PRIME_1 | 0
  for (let position = start; position < end; position += STRIPE_BYTES) {
    a = round(a, word(bytes, position))
    b = round(b, word(bytes, position + 4))
    c2 = round(c2, word(bytes, position + 8))
    d = round(d, word(bytes, position + 12))
  }
  return (rotate(a, 1) + rotate(b, 7) + rotate(c2, 12) + rotate(d, 18)) | 0
}
function round(lane, input) {
  return Math.imul(rotate(lane + Math.imul(input, PRIME_2), 13), PRIME_1)
}
function rotate(value2, bits) {
  return (value2 << bits) | (value2 >>> (32 - bits))
}
function word(bytes, position) {
  return (
    bytes[position] |
    (bytes[position + 1] << 8) |
    (bytes[position + 2] << 16) |
    (bytes[position + 3] << 24)
  )
}

// packages/platform/src/node/lz4-frame.ts
var MAGIC = 407708164
var VERSION_1 = 64
var VERSION_MASK = 192
var INDEPENDENT = 32
var BLOCK_CHECKSUM = 16
var CONTENT_SIZE = 8
var CONTENT_CHECKSUM = 4
var FLG_RESERVED = 2
var DICTIONARY = 1
var BD_RESERVED = 143
var STORED = 2147483648
var HEADER = Buffer.from('04224d18604082', 'hex')
var BLOCK_BYTES_MAX = 64 * 1024
var RATIO_MAX = 255
function compressLz4Frame(input) {
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
function decompressLz4Frame(bytes, sizeMax) {
  const input = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const frame = readLz4Frame(input)
  const contentSize = frame.contentSize ?? 0
  if (contentSize > sizeMax) refuse2(`declares ${contentSize} bytes, over ${sizeMax}`)
  const output = Buffer.allocUnsafeSlow(Math.min(frame.sizeMax, sizeMax))
  let at = 0
  for (const { start, end, stored } of frame.blocks) {
    const limit = Math.min(at + frame.blockBytesMax, output.length)
    if (stored) {
      if (end - start > limit - at) refuse2(`gives more than ${sizeMax} bytes`)
      at += input.copy(output, at, start, end)
    } else {
      at = decodeLz4Block(input, start, end, output, at, frame.independent ? at : 0, limit)
    }
  }
  const content = output.subarray(0, at)
  checkContent(frame, content)
  return at * 2 < output.length ? Buffer.from(content) : content
}
function readLz4Frame(bytes) {
  const input = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const head = readHeader(input)
  const blocks = []
  let position = head.end
  let sizeMax = 0
  for (;;) {
    const word2 = uint32(input, position)
    position += 4
    if (word2 === 0) break
    const stored = word2 >= STORED
    const size = stored ? word2 - STORED : word2
    if (size > head.blockBytesMax) refuse2(`has a block of ${size} bytes`)
    const end = position + size
    if (end > input.length) refuse2('ends within a block')
    blocks.push({ start: position, end, stored })
    sizeMax += stored ? size : Math.min(head.blockBytesMax, size * RATIO_MAX)
    position = end
    if (!head.blockChecksums) continue
    if (uint32(input, position) !== xxhash32(input, end - size, end)) refuse2('has a corrupt block')
    position += 4
  }
  const contentChecksum = head.contentChecksum ? uint32(input, position) : void 0
  if (position + (head.contentChecksum ? 4 : 0) !== input.length) refuse2('goes on after its end')
  const { independent, blockBytesMax, contentSize } = head
  if (contentSize !== void 0 && contentSize > sizeMax) {
    refuse2(`declares ${contentSize} bytes in ${input.length}`)
  }
  return { independent, blockBytesMax, blocks, contentSize, contentChecksum, sizeMax }
}
function readHeader(input) {
  if (input.length < HEADER.length || uint32(input, 0) !== MAGIC) refuse2('has no frame header')
  const flags = input.readUInt8(4)
  const descriptor = input.readUInt8(5)
  if ((flags & VERSION_MASK) !== VERSION_1) refuse2('is of another version')
  if ((flags & FLG_RESERVED) !== 0 || (descriptor & BD_RESERVED) !== 0)
    refuse2('sets reserved bits')
  if ((flags & DICTIONARY) !== 0) refuse2('needs a dictionary')
  const blockSizeId = descriptor >> 4
  if (blockSizeId < 4) refuse2(`has the block size ${blockSizeId}`)
  const hasSize = (flags & CONTENT_SIZE) !== 0
  const checksumAt = hasSize ? 14 : 6
  if (checksumAt >= input.length) refuse2('ends within its header')
  if (input.readUInt8(checksumAt) !== ((xxhash32(input, 4, checksumAt) >>> 8) & 255)) {
    refuse2('has a corrupt header')
  }
  return {
    independent: (flags & INDEPENDENT) !== 0,
    blockChecksums: (flags & BLOCK_CHECKSUM) !== 0,
    contentChecksum: (flags & CONTENT_CHECKSUM) !== 0,
    contentSize: hasSize ? input.readUInt32LE(6) + input.readUInt32LE(10) * 2 ** 32 : void 0,
    blockBytesMax: 4 ** (blockSizeId + 4),
    end: checksumAt + 1,
  }
}
function checkContent(frame, content) {
  if (frame.contentSize !== void 0 && frame.contentSize !== content.length) {
    refuse2(`declares ${frame.contentSize} bytes and gives ${content.length}`)
  }
  if (frame.contentChecksum === void 0) return
  if (frame.contentChecksum !== xxhash32(content, 0, content.length)) refuse2('has corrupt content')
}
function uint32(input, position) {
  if (position + 4 > input.length) refuse2('ends too early')
  return input.readUInt32LE(position)
}
function refuse2(problem) {
  throw new CompressionError(`the lz4 frame ${problem}`)
}

// packages/platform/src/node/lz4.ts
function lz4Codec() {
  let native
  return {
    async prepare() {
      native ??= await loadNative()
    },
    // Our own codec needs no preparation, so there is always one.
    assertPrepared: () => {},
    compress: (input) =>
      native === void 0 ? compressLz4Frame(input) : native.compressFrameSync(bufferOver(input)),
    decompress(input, sizeMax) {
      if (native === void 0) return decompressLz4Frame(input, sizeMax)
      return decompressNative(native, input, sizeMax)
    },
  }
}
async function loadNative() {
  try {
    return (await import('lz4-napi')).default
  } catch {
    return void 0
  }
}
function decompressNative(native, input, sizeMax) {
  const frame = readLz4Frame(input)
  if (frame.sizeMax > sizeMax) return decompressLz4Frame(input, sizeMax)
  const output = native.decompressFrameSync(bufferOver(input))
  if (frame.contentSize !== void 0 && output.length !== frame.contentSize) {
    throw new CompressionError(`lz4 declares ${frame.contentSize} bytes and gives ${output.length}`)
  }
  return output
}
function bufferOver(bytes) {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

// packages/platform/src/node/snappy-block.ts
var RATIO_BYTES_IN = 3
var RATIO_BYTES_OUT = 64
var SIZE_BYTES_MAX = 5
var LONG_COPY_BYTES2 = 32
function readSnappySize(input, start, end) {
  let size = 0
  for (let position = start; position < end && position < start + SIZE_BYTES_MAX; position++) {
    const byte = input[position]
    size += (byte & 127) * 2 ** (7 * (position - start))
    if (byte >= 128) continue
    if (size * RATIO_BYTES_IN > (end - position - 1) * RATIO_BYTES_OUT) {
      throw new CompressionError(`snappy declares ${size} bytes in a block of ${end - start}`)
    }
    return size
  }
  throw new CompressionError('snappy has no size')
}
function decodeSnappyBlock(input, start, end, output, outputStart) {
  const outputEnd = outputStart + readSnappySize(input, start, end)
  let position = start
  while (input[position++] >= 128);
  let at = outputStart
  while (position < end) {
    const tag = input[position++]
    const kind = tag & 3
    if (kind === 0) {
      let length = (tag >>> 2) + 1
      if (length > 60) {
        const lengthBytes = length - 60
        length = littleEndian(input, position, lengthBytes, end) + 1
        position += lengthBytes
      }
      if (length > end - position || length > outputEnd - at) refuseCopy()
      copyLiteral(input, position, output, at, length)
      position += length
      at += length
    } else {
      const offsetBytes = kind === 3 ? 4 : kind
      const length = kind === 1 ? ((tag >>> 2) & 7) + 4 : (tag >>> 2) + 1
      let offset = littleEndian(input, position, offsetBytes, end)
      if (kind === 1) offset += (tag >>> 5) << 8
      position += offsetBytes
      if (offset === 0 || offset > at - outputStart || length > outputEnd - at) refuseCopy()
      for (let stop = at + length; at < stop; at++) output[at] = output[at - offset]
    }
  }
  if (at !== outputEnd) throw new CompressionError('snappy gives fewer bytes than it declares')
  return at
}
function littleEndian(input, position, size, end) {
  if (size > end - position) throw new CompressionError('snappy ends within an element')
  let value2 = 0
  for (let index = size - 1; index >= 0; index--) {
    value2 = value2 * 256 + input[position + index]
  }
  return value2
}
function copyLiteral(input, from, output, to, length) {
  if (length >= LONG_COPY_BYTES2) {
    input.copy(output, to, from, from + length)
    return
  }
  for (let index = 0; index < length; index++) output[to + index] = input[from + index]
}
function refuseCopy() {
  throw new CompressionError('snappy reaches beyond its bytes')
}

// packages/platform/src/node/snappy.ts
var MAGIC2 = Buffer.from('82534e4150505900', 'hex')
var HEADER2 = Buffer.concat([MAGIC2, Buffer.from('0000000100000001', 'hex')])
var VERSION = 1
var COMPATIBLE_VERSION_AT = 12
var CHUNK_BYTES_MAX = 32 * 1024
function snappyCodec() {
  let snappy
  return {
    async prepare() {
      snappy ??= (await import('snappyjs')).default
    },
    assertPrepared() {
      assert(snappy !== void 0, 'snappy is prepared before its first use')
    },
    compress(input) {
      assert(snappy !== void 0, 'snappy is prepared before its first use')
      return compressChunks(snappy, input)
    },
    decompress,
  }
}
function compressChunks(snappy, input) {
  const parts = [HEADER2]
  for (let start = 0; start < input.length; start += CHUNK_BYTES_MAX) {
    const size = Math.min(CHUNK_BYTES_MAX, input.length - start)
    const chunk = snappy.compress(Buffer.from(input.buffer, input.byteOffset + start, size))
    const head = Buffer.allocUnsafe(4)
    head.writeInt32BE(chunk.length)
    parts.push(head, chunk)
  }
  return Buffer.concat(parts)
}
function decompress(bytes, sizeMax) {
  const input = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const chunks = isXerial(input) ? findChunks(input) : [{ start: 0, end: input.length }]
  let size = 0
  for (const { start, end } of chunks) size += readSnappySize(input, start, end)
  if (size > sizeMax) throw new CompressionError(`snappy declares ${size} bytes, over ${sizeMax}`)
  const output = Buffer.allocUnsafe(size)
  let position = 0
  for (const { start, end } of chunks) {
    position = decodeSnappyBlock(input, start, end, output, position)
  }
  assert(position === size, 'blocks of snappy fill what they declare')
  return output
}
function isXerial(input) {
  return input.length >= HEADER2.length && input.subarray(0, MAGIC2.length).equals(MAGIC2)
}
function findChunks(input) {
  const version = input.readInt32BE(COMPATIBLE_VERSION_AT)
  if (version > VERSION) throw new CompressionError(`snappy in a framing of version ${version}`)
  const chunks = []
  let position = HEADER2.length
  while (position < input.length) {
    if (input.length - position < 4) throw new CompressionError('snappy ends within a chunk header')
    const start = position + 4
    const size = input.readInt32BE(position)
    if (size < 1 || size > input.length - start) {
      throw new CompressionError(
        `snappy has a chunk of ${size} bytes, ${input.length - start} are left`,
      )
    }
    chunks.push({ start, end: start + size })
    position = start + size
  }
  return chunks
}

// packages/platform/src/node/zstd.ts
import * as zlib from 'node:zlib'

// packages/platform/src/node/zstd-frame.ts
var MAGIC3 = 4247762216
var SKIPPABLE_MAGIC = 25481893
var SINGLE_SEGMENT = 32
var RESERVED = 8
var CHECKSUM = 4
var BLOCK_BYTES_MAX2 = 128 * 1024
var WINDOW_BYTES_MAX = 128 * 1024 * 1024
var DICTIONARY_BYTES = [0, 1, 2, 4]
function readZstdFrames(bytes) {
  const input = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const frames = []
  let position = 0
  while (position < input.length) {
    const magic = number(input, position, 4)
    if (magic >>> 4 === SKIPPABLE_MAGIC) {
      position += 8 + number(input, position + 4, 4)
      if (position > input.length) refuse3('ends within a skippable frame')
      continue
    }
    if (magic !== MAGIC3) refuse3('has no frame header')
    const frame = readFrame(input, position)
    frames.push(frame)
    position = frame.end
  }
  if (frames.length === 0) refuse3('is empty')
  return frames
}
function readFrame(input, start) {
  const { blocksStart, windowSize, contentSize, checksum } = readHeader2(input, start)
  if (windowSize > WINDOW_BYTES_MAX) refuse3(`needs a window of ${windowSize} bytes`)
  const blockBytesMax = Math.min(windowSize, BLOCK_BYTES_MAX2)
  let position = blocksStart
  let sizeMax = 0
  for (let last = false; !last; ) {
    const head = number(input, position, 3)
    last = (head & 1) === 1
    const type = (head >> 1) & 3
    const size = head >> 3
    if (type === 3) refuse3('has a block of a reserved type')
    if (size > blockBytesMax) refuse3(`has a block of ${size} bytes`)
    position += 3 + (type === 1 ? 1 : size)
    if (position > input.length) refuse3('ends within a block')
    sizeMax += type === 2 ? blockBytesMax : size
  }
  const end = position + (checksum ? 4 : 0)
  if (end > input.length) refuse3('ends within its checksum')
  if (contentSize !== void 0 && contentSize > sizeMax) {
    refuse3(`declares ${contentSize} bytes in ${end - start}`)
  }
  return { start, end, contentSize, sizeMax }
}
function readHeader2(input, start) {
  const descriptor = number(input, start + 4, 1)
  if ((descriptor & RESERVED) !== 0) refuse3('sets a reserved bit')
  const singleSegment = (descriptor & SINGLE_SEGMENT) !== 0
  let position = start + 5
  const windowByte = singleSegment ? 0 : number(input, position++, 1)
  const dictionaryBytes = DICTIONARY_BYTES[descriptor & 3]
  if (number(input, position, dictionaryBytes) !== 0) refuse3('needs a dictionary')
  position += dictionaryBytes
  const contentSizeBytes = contentSizeWidth(descriptor >> 6, singleSegment)
  const declared = number(input, position, contentSizeBytes)
  const contentSize = contentSizeBytes === 2 ? declared + 256 : declared
  return {
    blocksStart: position + contentSizeBytes,
    windowSize: singleSegment ? contentSize : windowBytes(windowByte),
    contentSize: contentSizeBytes === 0 ? void 0 : contentSize,
    checksum: (descriptor & CHECKSUM) !== 0,
  }
}
function contentSizeWidth(flag, singleSegment) {
  if (flag === 0) return singleSegment ? 1 : 0
  return 2 ** flag
}
function windowBytes(byte) {
  const base = 2 ** (10 + (byte >> 3))
  return base + (base / 8) * (byte & 7)
}
function number(input, position, size) {
  if (position + size > input.length) refuse3('ends too early')
  let value2 = 0
  for (let index = size - 1; index >= 0; index--)
    value2 = value2 * 256 + input.readUInt8(position + index)
  return value2
}
function refuse3(problem) {
  throw new CompressionError(`the zstd frame ${problem}`)
}

// packages/platform/src/node/zstd.ts
function zstdCodec() {
  let zstd
  return {
    async prepare() {
      zstd ??= nodeZstd() ?? (await wasmZstd())
    },
    assertPrepared() {
      assert(zstd !== void 0, 'zstd is prepared before its first use')
    },
    compress(input) {
      assert(zstd !== void 0, 'zstd is prepared before its first use')
      return bufferOver2(zstd.compress(input))
    },
    decompress(input, sizeMax) {
      assert(zstd !== void 0, 'zstd is prepared before its first use')
      return decompress2(zstd, input, sizeMax)
    },
  }
}
function bufferOver2(bytes) {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
function decompress2(zstd, input, sizeMax) {
  const frames = readZstdFrames(input)
  const outputs = []
  let size = 0
  for (const frame of frames) {
    const output = decompressFrame(zstd, input, frame, sizeMax - size)
    outputs.push(output)
    size += output.length
  }
  return outputs.length === 1 ? bufferOver2(outputs[0]) : Buffer.concat(outputs)
}
function decompressFrame(zstd, input, frame, sizeMax) {
  const { start, end, contentSize } = frame
  if (contentSize !== void 0 && contentSize > sizeMax) {
    throw new CompressionError(`zstd declares ${contentSize} bytes, over ${sizeMax}`)
  }
  const output = zstd.decompress(input.subarray(start, end), Math.min(frame.sizeMax, sizeMax))
  if (contentSize !== void 0 && output.length !== contentSize) {
    throw new CompressionError(`zstd declares ${contentSize} bytes and gives ${output.length}`)
  }
  return output
}
function nodeZstd() {
  const { zstdCompressSync, zstdDecompressSync } = zlib
  if (zstdCompressSync === void 0 || zstdDecompressSync === void 0) return void 0
  return {
    compress: (input) => zstdCompressSync(input),
    decompress(frame, sizeMax) {
      const output = zstdDecompressSync(frame, { maxOutputLength: Math.max(sizeMax, 1) })
      if (output.length > sizeMax) throw new CompressionError(`gives more than ${sizeMax} bytes`)
      return output
    },
  }
}
var started = {}
async function wasmZstd() {
  const { compress: compress2, decompress: decompress4, init } = await import('@bokuweb/zstd-wasm')
  started.wasm ??= init()
  await started.wasm
  return {
    compress: (input) => compress2(input),
    // Where no size is declared it allocates 1 MiB unless told otherwise, and fails above.
    decompress: (frame, sizeMax) => decompress4(frame, { defaultHeapSize: sizeMax }),
  }
}

// packages/platform/src/node/compress.ts
function nodeCompress() {
  const codecs = {
    none: noneCodec,
    gzip: gzipCodec(),
    snappy: snappyCodec(),
    lz4: lz4Codec(),
    zstd: zstdCodec(),
  }
  return {
    prepare: (name) => codecs[name].prepare(),
    compress: (name, input) => codecs[name].compress(input),
    decompress(name, input, sizeMax) {
      assert(Number.isSafeInteger(sizeMax) && sizeMax >= 0, 'what decompression gives is bounded')
      const output = decompress3(name, codecs[name], input, sizeMax)
      assert(output.length <= sizeMax, 'a codec keeps to its bound')
      return output
    },
  }
}
function decompress3(name, codec, input, sizeMax) {
  codec.assertPrepared()
  try {
    return codec.decompress(input, sizeMax)
  } catch (cause) {
    if (cause instanceof CompressionError) throw cause
    throw new CompressionError(`broken ${name}: ${cause.message}`, { cause })
  }
}
var noneCodec = {
  prepare: async () => {},
  assertPrepared: () => {},
  compress: bufferOver3,
  decompress(input, sizeMax) {
    if (input.length > sizeMax) throw new CompressionError(`gives more than ${sizeMax} bytes`)
    return bufferOver3(input)
  },
}
function bufferOver3(bytes) {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

// ../../tmp/stub/platform.ts
var r = createRequire('/work/main/packages/platform/package.json')
var c = r('@node-rs/crc32')
var crc32c = (b, p = 0) => c.crc32c(b, p) >>> 0

// packages/protocol/src/records/integer.ts
var TWO_TO_32 = 2 ** 32
function int16At(bytes, position) {
  return ((bytes[position] << 24) >> 16) | bytes[position + 1]
}
function int32At(bytes, position) {
  return (
    (bytes[position] << 24) |
    (bytes[position + 1] << 16) |
    (bytes[position + 2] << 8) |
    bytes[position + 3]
  )
}
function uint32At(bytes, position) {
  return int32At(bytes, position) >>> 0
}
function int64At(bytes, position) {
  return int32At(bytes, position) * TWO_TO_32 + uint32At(bytes, position + 4)
}
function putInt16(bytes, position, value2) {
  bytes[position] = value2 >> 8
  bytes[position + 1] = value2
}
function putInt32(bytes, position, value2) {
  bytes[position] = value2 >> 24
  bytes[position + 1] = value2 >> 16
  bytes[position + 2] = value2 >> 8
  bytes[position + 3] = value2
}
function putInt64(bytes, position, value2) {
  putInt32(bytes, position, Math.floor(value2 / TWO_TO_32))
  putInt32(bytes, position + 4, value2 | 0)
}

// packages/protocol/src/records/layout.ts
var BATCH_HEADER_SIZE = 61
var BASE_OFFSET = 0
var LENGTH = 8
var LEADER_EPOCH = 12
var MAGIC4 = 16
var CRC = 17
var ATTRIBUTES = 21
var LAST_OFFSET_DELTA = 23
var BASE_TIMESTAMP = 27
var MAX_TIMESTAMP = 35
var PRODUCER_ID = 43
var PRODUCER_EPOCH = 51
var BASE_SEQUENCE = 53
var RECORD_COUNT = 57
var LENGTH_OVERHEAD = 12
var MAGIC_V2 = 2
var COMPRESSION_MASK = 7
var APPEND_TIME_BIT = 8
var TRANSACTIONAL_BIT = 16
var CONTROL_BIT = 32
var COMPRESSIONS = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
var RECORD_SIZE_MIN = 7
var BODY_BYTES_MAX = 64 * 1024 * 1024
var BODY_RATIO_MAX = 200
var BODY_RATIO_FREE_BYTES = 1024 * 1024
function bodyBytesMax(compressedBytes) {
  const byRatio = Math.max(compressedBytes * BODY_RATIO_MAX, BODY_RATIO_FREE_BYTES)
  return Math.min(byRatio, BODY_BYTES_MAX)
}

// packages/protocol/src/errors.ts
function defineErrors(rows) {
  return rows
}
var errors = defineErrors({
  UNKNOWN_SERVER_ERROR: {
    code: -1,
    retriable: false,
    outcome: 'unknown',
    about: 'The broker met something it did not expect.',
    cure: 'Look into the log of the broker at the time of the request, and report it.',
  },
  OFFSET_OUT_OF_RANGE: {
    code: 1,
    retriable: false,
    details: ['logStartOffset', 'logEndOffset'],
    about: 'The offset is below the log start or above the log end.',
    cure: 'Start again from the earliest, the latest, or a time.',
  },
  CORRUPT_MESSAGE: {
    code: 2,
    retriable: true,
    about: 'The checksum of a batch does not fit its bytes.',
    cure: 'Send it again. If it comes back, suspect memory, network or disk between the two.',
  },
  UNKNOWN_TOPIC_OR_PARTITION: {
    code: 3,
    retriable: true,
    about: 'There is no such topic, or it has no such partition.',
    cure: 'Check the name, create the topic, or refresh the metadata.',
  },
  LEADER_NOT_AVAILABLE: {
    code: 5,
    retriable: true,
    about: 'The partition has no leader at the moment.',
    cure: 'Try again; if it stays, see which of its replicas are down.',
  },
  NOT_LEADER_OR_FOLLOWER: {
    code: 6,
    retriable: true,
    details: ['leaderId', 'leaderEpoch'],
    about: 'This broker does not lead the partition.',
    cure: 'Refresh the metadata and ask the leader.',
  },
  REQUEST_TIMED_OUT: {
    code: 7,
    retriable: true,
    outcome: 'unknown',
    about: 'The request was not done in the time given.',
    cure: 'Try again, with more time. A write may have happened.',
  },
  MESSAGE_TOO_LARGE: {
    code: 10,
    retriable: false,
    details: ['max'],
    about: 'The batch is larger than max.message.bytes of the topic.',
    cure: 'Send smaller records, or raise max.message.bytes.',
  },
  NETWORK_EXCEPTION: {
    code: 13,
    retriable: true,
    outcome: 'unknown',
    about: 'The connection was lost before the answer came.',
    cure: 'Try again. A write may have happened.',
  },
  COORDINATOR_NOT_AVAILABLE: {
    code: 15,
    retriable: true,
    about: 'The coordinator, or the block of producer ids, cannot be had right now.',
    cure: 'Try again in a moment.',
  },
  INVALID_TOPIC_EXCEPTION: {
    code: 17,
    retriable: false,
    about: 'This is not a legal topic name.',
    cure: 'Use 1 to 249 of a-z A-Z 0-9 . _ - and neither "." nor "..".',
  },
  NOT_ENOUGH_REPLICAS: {
    code: 19,
    retriable: true,
    about: 'Fewer replicas are in sync than min.insync.replicas; nothing was written.',
    cure: 'Try again when the brokers are back.',
  },
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: {
    code: 20,
    retriable: true,
    outcome: 'unknown',
    about: 'Written, but fewer replicas than min.insync.replicas have it.',
    cure: 'Try again when the brokers are back; an idempotent producer writes it once.',
  },
  INVALID_REQUIRED_ACKS: {
    code: 21,
    retriable: false,
    about: 'acks must be -1 (all), 0 or 1.',
    cure: 'Use one of them.',
  },
  TOPIC_AUTHORIZATION_FAILED: {
    code: 29,
    retriable: false,
    about: 'This principal may not do that with this topic.',
    cure: 'Ask for the right, or leave the internal topics to the brokers.',
  },
  CLUSTER_AUTHORIZATION_FAILED: {
    code: 31,
    retriable: false,
    about: 'Only brokers of the cluster may do that.',
    cure: 'Use the API for clients.',
  },
  INVALID_TIMESTAMP: {
    code: 32,
    retriable: false,
    details: ['min', 'max'],
    about: 'A timestamp is outside what the topic accepts.',
    cure: 'Check the clock of the producer; see message.timestamp.before.max.ms and .after.max.ms.',
  },
  UNSUPPORTED_VERSION: {
    code: 35,
    retriable: false,
    details: ['min', 'max'],
    about: 'The broker does not speak this version of the API, or not this API.',
    cure: 'Upgrade the older of the two.',
  },
  TOPIC_ALREADY_EXISTS: {
    code: 36,
    retriable: false,
    about: 'There is a topic of that name.',
    cure: 'Use it, or take another name.',
  },
  INVALID_PARTITIONS: {
    code: 37,
    retriable: false,
    about: 'The number of partitions is not possible.',
    cure: 'At least 1; a topic can only grow.',
  },
  INVALID_REPLICATION_FACTOR: {
    code: 38,
    retriable: false,
    about: 'The replication factor is below 1 or above the number of brokers.',
    cure: 'Choose one in between, or add brokers.',
  },
  INVALID_CONFIG: {
    code: 40,
    retriable: false,
    details: ['key'],
    about: 'A setting is unknown or its value is not possible.',
    cure: 'See docs/config.md for its type and range.',
  },
  NOT_CONTROLLER: {
    code: 41,
    retriable: true,
    about: 'This broker is not the controller of the cluster.',
    cure: 'Refresh the metadata and ask the controller.',
  },
  INVALID_REQUEST: {
    code: 42,
    retriable: false,
    about: 'The request breaks the rules of the protocol; the path names the field.',
    cure: 'A fault of the client software: report it there, see docs/protocol.md.',
  },
  POLICY_VIOLATION: {
    code: 44,
    retriable: false,
    about: 'The request is above a limit that the broker sets.',
    cure: 'Ask for less, or raise the limit.',
  },
  OUT_OF_ORDER_SEQUENCE_NUMBER: {
    code: 45,
    retriable: false,
    about: 'A batch of an idempotent producer does not follow the last one.',
    cure: 'The client resolves it; if it reaches you, records before this one failed.',
  },
  INVALID_PRODUCER_EPOCH: {
    code: 47,
    retriable: false,
    about: 'A newer producer with the same id is at work.',
    cure: 'Make a new producer; if this comes back, two of them share an id.',
  },
  KAFKA_STORAGE_ERROR: {
    code: 56,
    retriable: true,
    about: 'The disk of the broker failed for this partition.',
    cure: 'See the log of the broker; mend or replace the disk.',
  },
  UNKNOWN_PRODUCER_ID: {
    code: 59,
    retriable: false,
    about: 'The broker knows nothing of this producer id, and the batch is not its first.',
    cure: 'The client takes a new epoch by itself.',
  },
  FETCH_SESSION_ID_NOT_FOUND: {
    code: 70,
    retriable: true,
    about: 'The broker does not know this fetch session.',
    cure: 'Fetch without one; the client does so by itself.',
  },
  FENCED_LEADER_EPOCH: {
    code: 74,
    retriable: true,
    about: 'The leader epoch asked with is older than the broker knows.',
    cure: 'Refresh the metadata.',
  },
  UNKNOWN_LEADER_EPOCH: {
    code: 75,
    retriable: true,
    about: 'The leader epoch asked with is newer than the broker knows.',
    cure: 'Try again: the broker will learn of it.',
  },
  UNSUPPORTED_COMPRESSION_TYPE: {
    code: 76,
    retriable: false,
    about: 'The batch names a compression that does not exist.',
    cure: 'Use none, gzip, snappy, lz4 or zstd.',
  },
  OFFSET_NOT_AVAILABLE: {
    code: 78,
    retriable: true,
    about: 'The new leader does not yet know how far the log is committed.',
    cure: 'Try again in a moment.',
  },
  INVALID_RECORD: {
    code: 87,
    retriable: false,
    about: 'A batch contradicts itself or the rules of the topic.',
    cure: 'A fault of the producing software: see the message for the field.',
  },
  THROTTLING_QUOTA_EXCEEDED: {
    code: 89,
    retriable: true,
    about: 'Too much at once.',
    cure: 'Slow down and try again.',
  },
  UNKNOWN_TOPIC_ID: {
    code: 100,
    retriable: true,
    about: 'No topic has this id: it was deleted, perhaps made again under the same name.',
    cure: 'Refresh the metadata; records for the old topic are not written to the new one.',
  },
  DUPLICATE_BROKER_REGISTRATION: {
    code: 101,
    retriable: false,
    about: 'Another broker is at work under this id.',
    cure: 'Give each broker its own node.id.',
  },
  INCONSISTENT_CLUSTER_ID: {
    code: 104,
    retriable: false,
    about: 'The data directory belongs to another cluster.',
    cure: 'Start the broker with the metadata store, or the data directory, that it had before.',
  },
  FRAME_TOO_LARGE: {
    code: -2,
    retriable: false,
    details: ['max'],
    kafka: 42,
    about: 'A frame announces more bytes than the receiver reads.',
    cure: 'Send less in one request; if the peer is not minikafka, check host and port.',
  },
  STORAGE_FULL: {
    code: -3,
    retriable: true,
    kafka: 56,
    about: 'The disk of the broker is nearly full; nothing was written.',
    cure: 'Free space, add disk, or shorten the retention; the producer keeps trying.',
  },
  CLOSED: {
    code: -100,
    retriable: false,
    about: 'The client, producer or consumer is closed.',
    cure: 'Make a new one, or close it later.',
  },
  BUSY: {
    code: -101,
    retriable: false,
    about: 'The consumer is being read in another way already.',
    cure: 'One reading mode at a time: end the other loop first.',
  },
  INVALID_OPTION: {
    code: -102,
    retriable: false,
    about: 'An option is unknown or its value is not possible.',
    cure: 'The message names it and the nearest one there is.',
  },
  BUFFER_FULL: {
    code: -103,
    retriable: true,
    about: 'The buffer of the producer is full.',
    cure: 'Await drained() before you push on, or raise maxBufferedBytes.',
  },
  DELIVERY_TIMED_OUT: {
    code: -104,
    retriable: false,
    outcome: 'unknown',
    about: 'A record was not acknowledged within deliveryTimeoutMs.',
    cure: 'See `cause` for what kept it and `outcome` for whether it may yet be there.',
  },
  SERIALIZATION_FAILED: {
    code: -105,
    retriable: false,
    about: 'A key or value could not be encoded.',
    cure: 'See `cause`; the record was not sent.',
  },
  DESERIALIZATION_FAILED: {
    code: -106,
    retriable: false,
    about: 'A key or value could not be decoded.',
    cure: 'See `cause`; choose what happens to such records with onError.',
  },
  SCHEMA_MISMATCH: {
    code: -107,
    retriable: false,
    about: 'A value does not fit the schema of the topic.',
    cure: 'See `issues`.',
  },
  HANDLER_FAILED: {
    code: -108,
    retriable: false,
    about: 'Your handler threw, and the policy says stop.',
    cure: 'See `cause`; choose another policy with onError.',
  },
  PROTOCOL_VIOLATION: {
    code: -109,
    retriable: false,
    outcome: 'unknown',
    about: 'The peer answered something that is not in the protocol.',
    cure: 'Check that host and port are those of a minikafka broker.',
  },
  PARTIAL_FAILURE: {
    code: -110,
    retriable: false,
    about: 'Some of the records failed.',
    cure: 'See `results`, in the order of the input.',
  },
  BROKER_UNREACHABLE: {
    code: -111,
    retriable: true,
    about: 'No connection to a broker could be made.',
    cure: 'Check that it runs and that host and port are right.',
  },
  TIMED_OUT: {
    code: -112,
    retriable: false,
    about: 'The wait was longer than its timeoutMs.',
    cure: 'Give it more time, or look at what it waits for.',
  },
})
var namesByCode = new Map(Object.entries(errors).map(([name, row]) => [row.code, name]))
var BRAND = /* @__PURE__ */ Symbol.for('minikafka.error')
var MinikafkaError = class extends Error {
  constructor(name, fields = {}, options) {
    const { message, ...rest } = fields
    const row = errors[name]
    super(message ?? `${row.about} ${row.cure}`, options)
    Object.defineProperty(this, BRAND, { value: true })
    this.name = name
    this.code = row.code
    this.retriable = row.retriable
    this.fatal = row.fatal ?? false
    for (const [key, value2] of Object.entries(rest)) {
      if (value2 !== void 0) Object.assign(this, { [key]: value2 })
    }
  }
}

// packages/protocol/src/records/header.ts
function readBatchHeader(bytes, position = 0) {
  if (bytes.length - position < BATCH_HEADER_SIZE) {
    throw new MinikafkaError('CORRUPT_MESSAGE', { message: 'A batch ends within its header.' })
  }
  const baseOffset = int64At(bytes, position + BASE_OFFSET)
  const attributes = int16At(bytes, position + ATTRIBUTES)
  const lastOffsetDelta = int32At(bytes, position + LAST_OFFSET_DELTA)
  return {
    baseOffset,
    sizeBytes: batchSizeAt(bytes, position),
    leaderEpoch: int32At(bytes, position + LEADER_EPOCH),
    magic: batchMagicAt(bytes, position),
    crc: uint32At(bytes, position + CRC),
    attributes,
    compression: COMPRESSIONS[attributes & COMPRESSION_MASK],
    timestampType: (attributes & APPEND_TIME_BIT) === 0 ? 'create' : 'append',
    transactional: (attributes & TRANSACTIONAL_BIT) !== 0,
    control: (attributes & CONTROL_BIT) !== 0,
    lastOffsetDelta,
    lastOffset: baseOffset + lastOffsetDelta,
    baseTimestamp: int64At(bytes, position + BASE_TIMESTAMP),
    maxTimestamp: int64At(bytes, position + MAX_TIMESTAMP),
    producerId: int64At(bytes, position + PRODUCER_ID),
    producerEpoch: int16At(bytes, position + PRODUCER_EPOCH),
    baseSequence: int32At(bytes, position + BASE_SEQUENCE),
    recordCount: batchRecordCountAt(bytes, position),
  }
}
function batchSizeAt(bytes, position = 0) {
  return LENGTH_OVERHEAD + int32At(bytes, position + LENGTH)
}
function batchMagicAt(bytes, position = 0) {
  return (bytes[position + MAGIC4] << 24) >> 24
}
function batchRecordCountAt(bytes, position = 0) {
  return int32At(bytes, position + RECORD_COUNT)
}
function batchCrcIsRight(bytes, position = 0) {
  if (bytes.length - position < BATCH_HEADER_SIZE) return false
  const end = position + batchSizeAt(bytes, position)
  if (end > bytes.length || end < position + BATCH_HEADER_SIZE) return false
  return crc32c(bytes.subarray(position + ATTRIBUTES, end)) === uint32At(bytes, position + CRC)
}

// packages/protocol/src/records/stamp.ts
function sumBatch(batch) {
  assert(batch.length === batchSizeAt(batch), 'a batch that is summed is whole')
  putInt32(batch, CRC, crc32c(batch.subarray(ATTRIBUTES)))
}

// packages/protocol/src/records/varint.ts
function varintSize(value2) {
  let magnitude = value2 < 0 ? -1 - value2 : value2
  if (magnitude < 64) return 1
  if (magnitude < 8192) return 2
  if (magnitude < 1048576) return 3
  if (magnitude < 134217728) return 4
  let size = 4
  for (magnitude = Math.floor(magnitude / 134217728); magnitude > 0; size++) {
    magnitude = Math.floor(magnitude / 128)
  }
  return size
}
function putVarint(bytes, position, value2) {
  const sign = value2 < 0 ? 1 : 0
  const magnitude = sign === 1 ? -1 - value2 : value2
  if (magnitude < 64) {
    bytes[position] = (magnitude << 1) | sign
    return position + 1
  }
  if (magnitude < 8192) {
    bytes[position] = ((magnitude & 63) << 1) | sign | 128
    bytes[position + 1] = magnitude >> 6
    return position + 2
  }
  return putLongVarint(bytes, position, sign, magnitude)
}
function putLongVarint(bytes, start, sign, magnitude) {
  let position = start
  bytes[position++] = ((magnitude % 64) << 1) | sign | 128
  let rest = Math.floor(magnitude / 64)
  while (rest >= 128) {
    bytes[position++] = (rest % 128) | 128
    rest = Math.floor(rest / 128)
  }
  bytes[position++] = rest
  return position
}

// packages/protocol/src/records/text.ts
var SHORT_CHARS_MAX = 24
var SHORT_BYTES_MAX = 16
function bytesSize(data) {
  if (typeof data === 'string') return textSize(data)
  return data === null ? -1 : data.length
}
function textSize(text) {
  const length = text.length
  if (length > SHORT_CHARS_MAX) return Buffer.byteLength(text)
  let bits = 0
  for (let index = 0; index < length; index++) bits |= text.charCodeAt(index)
  return bits < 128 ? length : Buffer.byteLength(text)
}
function putSized(buffer2, start, data, size) {
  const position = putVarint(buffer2, start, size)
  if (data === null) return position
  if (typeof data === 'string') putText(buffer2, position, data, size)
  else putBytes(buffer2, position, data)
  return position + size
}
function putText(buffer2, position, text, size) {
  const length = text.length
  if (size !== length) {
    buffer2.write(text, position, size, 'utf8')
    return
  }
  if (length > SHORT_CHARS_MAX) {
    buffer2.write(text, position, size, 'latin1')
    return
  }
  for (let index = 0; index < length; index++) buffer2[position + index] = text.charCodeAt(index)
}
function putBytes(buffer2, position, bytes) {
  const length = bytes.length
  if (length > SHORT_BYTES_MAX) {
    buffer2.set(bytes, position)
    return
  }
  for (let index = 0; index < length; index++) buffer2[position + index] = bytes[index]
}

// packages/protocol/src/records/batch-writer.ts
var RECORD_OVERHEAD_MAX = 5 + 1 + 10 + 5 + 5 + 5 + 5
var HEADER_OVERHEAD_MAX = 5 + 5
var BatchWriter = class {
  #buffer
  /** Where the next record begins. Invariant: BATCH_HEADER_SIZE <= #position <= #buffer.length. */
  #position = BATCH_HEADER_SIZE
  #recordCount = 0
  #baseTimestamp = 0
  #maxTimestamp = 0
  /** `buffer` is lent until the sealed batch is no longer needed; `seal` says when that is. */
  constructor(buffer2) {
    assert(buffer2.length >= BATCH_HEADER_SIZE, 'a batch buffer holds at least a header')
    this.#buffer = buffer2
  }
  /** Begins another batch. */
  reset(buffer2) {
    assert(buffer2.length >= BATCH_HEADER_SIZE, 'a batch buffer holds at least a header')
    this.#buffer = buffer2
    this.#position = BATCH_HEADER_SIZE
    this.#recordCount = 0
  }
  /** Goes on in a larger buffer; the former one is free again. */
  grow(buffer2) {
    assert(buffer2.length >= this.#position, 'a larger buffer holds what was written')
    buffer2.set(this.#buffer.subarray(BATCH_HEADER_SIZE, this.#position), BATCH_HEADER_SIZE)
    this.#buffer = buffer2
  }
  get recordCount() {
    return this.#recordCount
  }
  /** Of the batch so far, uncompressed, with its header. */
  get sizeBytes() {
    return this.#position
  }
  /** Bytes of a batch that holds this record alone, at most. */
  static recordSizeMax(key, value2, headers) {
    let size = BATCH_HEADER_SIZE + RECORD_OVERHEAD_MAX
    size += Math.max(bytesSize(key), 0) + Math.max(bytesSize(value2), 0)
    for (const [name, headerValue] of headers ?? []) {
      size += HEADER_OVERHEAD_MAX + bytesSize(name) + Math.max(bytesSize(headerValue), 0)
    }
    return size
  }
  /**
   * Writes one record behind the others; strings become UTF-8 in place.
   *
   * Units   `timestampMs`: wall clock, -1 for none.
   * Holds   false: it does not fit and nothing was written.
   */
  tryAppend(timestampMs, key, value2, headers) {
    assert(Number.isSafeInteger(timestampMs) && timestampMs >= -1, 'a timestamp is -1 or a time')
    const buffer2 = this.#buffer
    const offsetDelta = this.#recordCount
    const timestampDelta = offsetDelta === 0 ? 0 : timestampMs - this.#baseTimestamp
    const keySize = bytesSize(key)
    const valueSize = bytesSize(value2)
    let size = 1 + varintSize(timestampDelta) + varintSize(offsetDelta)
    size += keySize < 0 ? 1 : varintSize(keySize) + keySize
    size += valueSize < 0 ? 1 : varintSize(valueSize) + valueSize
    size += headers === void 0 ? 1 : headersSize(headers)
    const end = this.#position + varintSize(size) + size
    if (end > buffer2.length) return false
    let position = putVarint(buffer2, this.#position, size)
    buffer2[position++] = 0
    position = putVarint(buffer2, position, timestampDelta)
    position = putVarint(buffer2, position, offsetDelta)
    position = putSized(buffer2, position, key, keySize)
    position = putSized(buffer2, position, value2, valueSize)
    if (headers === void 0) buffer2[position++] = 0
    else position = putHeaders(buffer2, position, headers)
    assert(position === end, 'a record takes the bytes that were counted for it')
    if (offsetDelta === 0) this.#baseTimestamp = this.#maxTimestamp = timestampMs
    else if (timestampMs > this.#maxTimestamp) this.#maxTimestamp = timestampMs
    this.#position = position
    this.#recordCount++
    return true
  }
  /**
   * Compresses, writes the header and sums.
   *
   * Shape   compression 'none': a view of the lent buffer, which stays lent as long as the batch is needed.
   *         Otherwise a buffer of its own, and the lent one is free again. Records that would not shrink,
   *         or shrink so much that readers had to suspect a bomb, stay uncompressed in it.
   * Errors  none; `compress.prepare(compression)` has resolved before.
   */
  seal(compress2, options) {
    assert(this.#recordCount > 0, 'a batch has records before it is sealed')
    const records = this.#buffer.subarray(BATCH_HEADER_SIZE, this.#position)
    if (options.compression === 'none') {
      const batch2 = this.#buffer.subarray(0, this.#position)
      this.#putHeader(batch2, 0, options)
      return batch2
    }
    const compressed = compress2.compress(options.compression, records)
    const fits = compressed.length < records.length
    const readable = records.length <= bodyBytesMax(compressed.length)
    const body = fits && readable ? compressed : records
    const batch = Buffer.allocUnsafeSlow(BATCH_HEADER_SIZE + body.length)
    batch.set(body, BATCH_HEADER_SIZE)
    this.#putHeader(
      batch,
      body === records ? 0 : COMPRESSIONS.indexOf(options.compression),
      options,
    )
    return batch
  }
  #putHeader(batch, compressionBits, options) {
    putInt64(batch, BASE_OFFSET, 0)
    putInt32(batch, LENGTH, batch.length - LENGTH_OVERHEAD)
    putInt32(batch, LEADER_EPOCH, -1)
    batch[MAGIC4] = MAGIC_V2
    const transactionalBit = options.transactional === true ? TRANSACTIONAL_BIT : 0
    putInt16(batch, ATTRIBUTES, compressionBits | transactionalBit)
    putInt32(batch, LAST_OFFSET_DELTA, this.#recordCount - 1)
    putInt64(batch, BASE_TIMESTAMP, this.#baseTimestamp)
    putInt64(batch, MAX_TIMESTAMP, this.#maxTimestamp)
    putInt64(batch, PRODUCER_ID, options.producerId)
    putInt16(batch, PRODUCER_EPOCH, options.producerEpoch)
    putInt32(batch, BASE_SEQUENCE, options.baseSequence)
    putInt32(batch, RECORD_COUNT, this.#recordCount)
    sumBatch(batch)
  }
}
function headersSize(headers) {
  let size = varintSize(headers.length)
  for (let index = 0; index < headers.length; index++) {
    const header = headers[index]
    const nameSize = bytesSize(header[0])
    const valueSize = bytesSize(header[1])
    size += varintSize(nameSize) + nameSize
    size += valueSize < 0 ? 1 : varintSize(valueSize) + valueSize
  }
  return size
}
function putHeaders(buffer2, start, headers) {
  let position = putVarint(buffer2, start, headers.length)
  for (let index = 0; index < headers.length; index++) {
    const header = headers[index]
    position = putSized(buffer2, position, header[0], bytesSize(header[0]))
    position = putSized(buffer2, position, header[1], bytesSize(header[1]))
  }
  return position
}

// ../../tmp/stub/w2/integer.ts
var TWO_TO_322 = 2 ** 32
function int16At2(bytes, position) {
  return ((bytes[position] << 24) >> 16) | bytes[position + 1]
}
function int32At2(bytes, position) {
  return (
    (bytes[position] << 24) |
    (bytes[position + 1] << 16) |
    (bytes[position + 2] << 8) |
    bytes[position + 3]
  )
}
function uint32At2(bytes, position) {
  return int32At2(bytes, position) >>> 0
}
function int64At2(bytes, position) {
  return int32At2(bytes, position) * TWO_TO_322 + uint32At2(bytes, position + 4)
}
function putInt162(bytes, position, value2) {
  bytes[position] = value2 >> 8
  bytes[position + 1] = value2
}
function putInt322(bytes, position, value2) {
  bytes[position] = value2 >> 24
  bytes[position + 1] = value2 >> 16
  bytes[position + 2] = value2 >> 8
  bytes[position + 3] = value2
}
function putInt642(bytes, position, value2) {
  putInt322(bytes, position, Math.floor(value2 / TWO_TO_322))
  putInt322(bytes, position + 4, value2 | 0)
}

// ../../tmp/stub/w2/layout.ts
var BATCH_HEADER_SIZE2 = 61
var BASE_OFFSET2 = 0
var LENGTH2 = 8
var LEADER_EPOCH2 = 12
var MAGIC5 = 16
var CRC2 = 17
var ATTRIBUTES2 = 21
var LAST_OFFSET_DELTA2 = 23
var BASE_TIMESTAMP2 = 27
var MAX_TIMESTAMP2 = 35
var PRODUCER_ID2 = 43
var PRODUCER_EPOCH2 = 51
var BASE_SEQUENCE2 = 53
var RECORD_COUNT2 = 57
var LENGTH_OVERHEAD2 = 12
var MAGIC_V22 = 2
var COMPRESSION_MASK2 = 7
var APPEND_TIME_BIT2 = 8
var TRANSACTIONAL_BIT2 = 16
var CONTROL_BIT2 = 32
var COMPRESSIONS2 = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
var RECORD_SIZE_MIN2 = 7
var BODY_BYTES_MAX2 = 64 * 1024 * 1024
var BODY_RATIO_MAX2 = 200
var BODY_RATIO_FREE_BYTES2 = 1024 * 1024
function bodyBytesMax2(compressedBytes) {
  const byRatio = Math.max(compressedBytes * BODY_RATIO_MAX2, BODY_RATIO_FREE_BYTES2)
  return Math.min(byRatio, BODY_BYTES_MAX2)
}

// ../../tmp/stub/errors.ts
function defineErrors2(rows) {
  return rows
}
var errors2 = defineErrors2({
  UNKNOWN_SERVER_ERROR: {
    code: -1,
    retriable: false,
    outcome: 'unknown',
    about: 'The broker met something it did not expect.',
    cure: 'Look into the log of the broker at the time of the request, and report it.',
  },
  OFFSET_OUT_OF_RANGE: {
    code: 1,
    retriable: false,
    details: ['logStartOffset', 'logEndOffset'],
    about: 'The offset is below the log start or above the log end.',
    cure: 'Start again from the earliest, the latest, or a time.',
  },
  CORRUPT_MESSAGE: {
    code: 2,
    retriable: true,
    about: 'The checksum of a batch does not fit its bytes.',
    cure: 'Send it again. If it comes back, suspect memory, network or disk between the two.',
  },
  UNKNOWN_TOPIC_OR_PARTITION: {
    code: 3,
    retriable: true,
    about: 'There is no such topic, or it has no such partition.',
    cure: 'Check the name, create the topic, or refresh the metadata.',
  },
  LEADER_NOT_AVAILABLE: {
    code: 5,
    retriable: true,
    about: 'The partition has no leader at the moment.',
    cure: 'Try again; if it stays, see which of its replicas are down.',
  },
  NOT_LEADER_OR_FOLLOWER: {
    code: 6,
    retriable: true,
    details: ['leaderId', 'leaderEpoch'],
    about: 'This broker does not lead the partition.',
    cure: 'Refresh the metadata and ask the leader.',
  },
  REQUEST_TIMED_OUT: {
    code: 7,
    retriable: true,
    outcome: 'unknown',
    about: 'The request was not done in the time given.',
    cure: 'Try again, with more time. A write may have happened.',
  },
  MESSAGE_TOO_LARGE: {
    code: 10,
    retriable: false,
    details: ['max'],
    about: 'The batch is larger than max.message.bytes of the topic.',
    cure: 'Send smaller records, or raise max.message.bytes.',
  },
  NETWORK_EXCEPTION: {
    code: 13,
    retriable: true,
    outcome: 'unknown',
    about: 'The connection was lost before the answer came.',
    cure: 'Try again. A write may have happened.',
  },
  COORDINATOR_NOT_AVAILABLE: {
    code: 15,
    retriable: true,
    about: 'The coordinator, or the block of producer ids, cannot be had right now.',
    cure: 'Try again in a moment.',
  },
  INVALID_TOPIC_EXCEPTION: {
    code: 17,
    retriable: false,
    about: 'This is not a legal topic name.',
    cure: 'Use 1 to 249 of a-z A-Z 0-9 . _ - and neither "." nor "..".',
  },
  NOT_ENOUGH_REPLICAS: {
    code: 19,
    retriable: true,
    about: 'Fewer replicas are in sync than min.insync.replicas; nothing was written.',
    cure: 'Try again when the brokers are back.',
  },
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: {
    code: 20,
    retriable: true,
    outcome: 'unknown',
    about: 'Written, but fewer replicas than min.insync.replicas have it.',
    cure: 'Try again when the brokers are back; an idempotent producer writes it once.',
  },
  INVALID_REQUIRED_ACKS: {
    code: 21,
    retriable: false,
    about: 'acks must be -1 (all), 0 or 1.',
    cure: 'Use one of them.',
  },
  TOPIC_AUTHORIZATION_FAILED: {
    code: 29,
    retriable: false,
    about: 'This principal may not do that with this topic.',
    cure: 'Ask for the right, or leave the internal topics to the brokers.',
  },
  CLUSTER_AUTHORIZATION_FAILED: {
    code: 31,
    retriable: false,
    about: 'Only brokers of the cluster may do that.',
    cure: 'Use the API for clients.',
  },
  INVALID_TIMESTAMP: {
    code: 32,
    retriable: false,
    details: ['min', 'max'],
    about: 'A timestamp is outside what the topic accepts.',
    cure: 'Check the clock of the producer; see message.timestamp.before.max.ms and .after.max.ms.',
  },
  UNSUPPORTED_VERSION: {
    code: 35,
    retriable: false,
    details: ['min', 'max'],
    about: 'The broker does not speak this version of the API, or not this API.',
    cure: 'Upgrade the older of the two.',
  },
  TOPIC_ALREADY_EXISTS: {
    code: 36,
    retriable: false,
    about: 'There is a topic of that name.',
    cure: 'Use it, or take another name.',
  },
  INVALID_PARTITIONS: {
    code: 37,
    retriable: false,
    about: 'The number of partitions is not possible.',
    cure: 'At least 1; a topic can only grow.',
  },
  INVALID_REPLICATION_FACTOR: {
    code: 38,
    retriable: false,
    about: 'The replication factor is below 1 or above the number of brokers.',
    cure: 'Choose one in between, or add brokers.',
  },
  INVALID_CONFIG: {
    code: 40,
    retriable: false,
    details: ['key'],
    about: 'A setting is unknown or its value is not possible.',
    cure: 'See docs/config.md for its type and range.',
  },
  NOT_CONTROLLER: {
    code: 41,
    retriable: true,
    about: 'This broker is not the controller of the cluster.',
    cure: 'Refresh the metadata and ask the controller.',
  },
  INVALID_REQUEST: {
    code: 42,
    retriable: false,
    about: 'The request breaks the rules of the protocol; the path names the field.',
    cure: 'A fault of the client software: report it there, see docs/protocol.md.',
  },
  POLICY_VIOLATION: {
    code: 44,
    retriable: false,
    about: 'The request is above a limit that the broker sets.',
    cure: 'Ask for less, or raise the limit.',
  },
  OUT_OF_ORDER_SEQUENCE_NUMBER: {
    code: 45,
    retriable: false,
    about: 'A batch of an idempotent producer does not follow the last one.',
    cure: 'The client resolves it; if it reaches you, records before this one failed.',
  },
  INVALID_PRODUCER_EPOCH: {
    code: 47,
    retriable: false,
    about: 'A newer producer with the same id is at work.',
    cure: 'Make a new producer; if this comes back, two of them share an id.',
  },
  KAFKA_STORAGE_ERROR: {
    code: 56,
    retriable: true,
    about: 'The disk of the broker failed for this partition.',
    cure: 'See the log of the broker; mend or replace the disk.',
  },
  UNKNOWN_PRODUCER_ID: {
    code: 59,
    retriable: false,
    about: 'The broker knows nothing of this producer id, and the batch is not its first.',
    cure: 'The client takes a new epoch by itself.',
  },
  FETCH_SESSION_ID_NOT_FOUND: {
    code: 70,
    retriable: true,
    about: 'The broker does not know this fetch session.',
    cure: 'Fetch without one; the client does so by itself.',
  },
  FENCED_LEADER_EPOCH: {
    code: 74,
    retriable: true,
    about: 'The leader epoch asked with is older than the broker knows.',
    cure: 'Refresh the metadata.',
  },
  UNKNOWN_LEADER_EPOCH: {
    code: 75,
    retriable: true,
    about: 'The leader epoch asked with is newer than the broker knows.',
    cure: 'Try again: the broker will learn of it.',
  },
  UNSUPPORTED_COMPRESSION_TYPE: {
    code: 76,
    retriable: false,
    about: 'The batch names a compression that does not exist.',
    cure: 'Use none, gzip, snappy, lz4 or zstd.',
  },
  OFFSET_NOT_AVAILABLE: {
    code: 78,
    retriable: true,
    about: 'The new leader does not yet know how far the log is committed.',
    cure: 'Try again in a moment.',
  },
  INVALID_RECORD: {
    code: 87,
    retriable: false,
    about: 'A batch contradicts itself or the rules of the topic.',
    cure: 'A fault of the producing software: see the message for the field.',
  },
  THROTTLING_QUOTA_EXCEEDED: {
    code: 89,
    retriable: true,
    about: 'Too much at once.',
    cure: 'Slow down and try again.',
  },
  UNKNOWN_TOPIC_ID: {
    code: 100,
    retriable: true,
    about: 'No topic has this id: it was deleted, perhaps made again under the same name.',
    cure: 'Refresh the metadata; records for the old topic are not written to the new one.',
  },
  DUPLICATE_BROKER_REGISTRATION: {
    code: 101,
    retriable: false,
    about: 'Another broker is at work under this id.',
    cure: 'Give each broker its own node.id.',
  },
  INCONSISTENT_CLUSTER_ID: {
    code: 104,
    retriable: false,
    about: 'The data directory belongs to another cluster.',
    cure: 'Start the broker with the metadata store, or the data directory, that it had before.',
  },
  FRAME_TOO_LARGE: {
    code: -2,
    retriable: false,
    details: ['max'],
    kafka: 42,
    about: 'A frame announces more bytes than the receiver reads.',
    cure: 'Send less in one request; if the peer is not minikafka, check host and port.',
  },
  STORAGE_FULL: {
    code: -3,
    retriable: true,
    kafka: 56,
    about: 'The disk of the broker is nearly full; nothing was written.',
    cure: 'Free space, add disk, or shorten the retention; the producer keeps trying.',
  },
  CLOSED: {
    code: -100,
    retriable: false,
    about: 'The client, producer or consumer is closed.',
    cure: 'Make a new one, or close it later.',
  },
  BUSY: {
    code: -101,
    retriable: false,
    about: 'The consumer is being read in another way already.',
    cure: 'One reading mode at a time: end the other loop first.',
  },
  INVALID_OPTION: {
    code: -102,
    retriable: false,
    about: 'An option is unknown or its value is not possible.',
    cure: 'The message names it and the nearest one there is.',
  },
  BUFFER_FULL: {
    code: -103,
    retriable: true,
    about: 'The buffer of the producer is full.',
    cure: 'Await drained() before you push on, or raise maxBufferedBytes.',
  },
  DELIVERY_TIMED_OUT: {
    code: -104,
    retriable: false,
    outcome: 'unknown',
    about: 'A record was not acknowledged within deliveryTimeoutMs.',
    cure: 'See `cause` for what kept it and `outcome` for whether it may yet be there.',
  },
  SERIALIZATION_FAILED: {
    code: -105,
    retriable: false,
    about: 'A key or value could not be encoded.',
    cure: 'See `cause`; the record was not sent.',
  },
  DESERIALIZATION_FAILED: {
    code: -106,
    retriable: false,
    about: 'A key or value could not be decoded.',
    cure: 'See `cause`; choose what happens to such records with onError.',
  },
  SCHEMA_MISMATCH: {
    code: -107,
    retriable: false,
    about: 'A value does not fit the schema of the topic.',
    cure: 'See `issues`.',
  },
  HANDLER_FAILED: {
    code: -108,
    retriable: false,
    about: 'Your handler threw, and the policy says stop.',
    cure: 'See `cause`; choose another policy with onError.',
  },
  PROTOCOL_VIOLATION: {
    code: -109,
    retriable: false,
    outcome: 'unknown',
    about: 'The peer answered something that is not in the protocol.',
    cure: 'Check that host and port are those of a minikafka broker.',
  },
  PARTIAL_FAILURE: {
    code: -110,
    retriable: false,
    about: 'Some of the records failed.',
    cure: 'See `results`, in the order of the input.',
  },
  BROKER_UNREACHABLE: {
    code: -111,
    retriable: true,
    about: 'No connection to a broker could be made.',
    cure: 'Check that it runs and that host and port are right.',
  },
  TIMED_OUT: {
    code: -112,
    retriable: false,
    about: 'The wait was longer than its timeoutMs.',
    cure: 'Give it more time, or look at what it waits for.',
  },
})
var namesByCode2 = new Map(Object.entries(errors2).map(([name, row]) => [row.code, name]))
var BRAND2 = /* @__PURE__ */ Symbol.for('minikafka.error')
var MinikafkaError2 = class extends Error {
  constructor(name, fields = {}, options) {
    const { message, ...rest } = fields
    const row = errors2[name]
    super(message ?? `${row.about} ${row.cure}`, options)
    Object.defineProperty(this, BRAND2, { value: true })
    this.name = name
    this.code = row.code
    this.retriable = row.retriable
    this.fatal = row.fatal ?? false
    for (const [key, value2] of Object.entries(rest)) {
      if (value2 !== void 0) Object.assign(this, { [key]: value2 })
    }
  }
}

// ../../tmp/stub/w2/header.ts
function readBatchHeader2(bytes, position = 0) {
  if (bytes.length - position < BATCH_HEADER_SIZE2) {
    throw new MinikafkaError2('CORRUPT_MESSAGE', { message: 'A batch ends within its header.' })
  }
  const baseOffset = int64At2(bytes, position + BASE_OFFSET2)
  const attributes = int16At2(bytes, position + ATTRIBUTES2)
  const lastOffsetDelta = int32At2(bytes, position + LAST_OFFSET_DELTA2)
  return {
    baseOffset,
    sizeBytes: batchSizeAt2(bytes, position),
    leaderEpoch: int32At2(bytes, position + LEADER_EPOCH2),
    magic: batchMagicAt2(bytes, position),
    crc: uint32At2(bytes, position + CRC2),
    attributes,
    compression: COMPRESSIONS2[attributes & COMPRESSION_MASK2],
    timestampType: (attributes & APPEND_TIME_BIT2) === 0 ? 'create' : 'append',
    transactional: (attributes & TRANSACTIONAL_BIT2) !== 0,
    control: (attributes & CONTROL_BIT2) !== 0,
    lastOffsetDelta,
    lastOffset: baseOffset + lastOffsetDelta,
    baseTimestamp: int64At2(bytes, position + BASE_TIMESTAMP2),
    maxTimestamp: int64At2(bytes, position + MAX_TIMESTAMP2),
    producerId: int64At2(bytes, position + PRODUCER_ID2),
    producerEpoch: int16At2(bytes, position + PRODUCER_EPOCH2),
    baseSequence: int32At2(bytes, position + BASE_SEQUENCE2),
    recordCount: batchRecordCountAt2(bytes, position),
  }
}
function batchSizeAt2(bytes, position = 0) {
  return LENGTH_OVERHEAD2 + int32At2(bytes, position + LENGTH2)
}
function batchMagicAt2(bytes, position = 0) {
  return (bytes[position + MAGIC5] << 24) >> 24
}
function batchRecordCountAt2(bytes, position = 0) {
  return int32At2(bytes, position + RECORD_COUNT2)
}
function batchCrcIsRight2(bytes, position = 0) {
  if (bytes.length - position < BATCH_HEADER_SIZE2) return false
  const end = position + batchSizeAt2(bytes, position)
  if (end > bytes.length || end < position + BATCH_HEADER_SIZE2) return false
  return crc32c(bytes.subarray(position + ATTRIBUTES2, end)) === uint32At2(bytes, position + CRC2)
}

// ../../tmp/stub/w2/stamp.ts
function sumBatch2(batch) {
  assert(batch.length === batchSizeAt2(batch), 'a batch that is summed is whole')
  putInt322(batch, CRC2, crc32c(batch.subarray(ATTRIBUTES2)))
}

// ../../tmp/stub/w2/varint.ts
function varintSize2(value2) {
  let magnitude = value2 < 0 ? -1 - value2 : value2
  if (magnitude < 64) return 1
  if (magnitude < 8192) return 2
  if (magnitude < 1048576) return 3
  if (magnitude < 134217728) return 4
  let size = 4
  for (magnitude = Math.floor(magnitude / 134217728); magnitude > 0; size++) {
    magnitude = Math.floor(magnitude / 128)
  }
  return size
}
function putVarint2(bytes, position, value2) {
  const sign = value2 < 0 ? 1 : 0
  const magnitude = sign === 1 ? -1 - value2 : value2
  if (magnitude < 64) {
    bytes[position] = (magnitude << 1) | sign
    return position + 1
  }
  if (magnitude < 8192) {
    bytes[position] = ((magnitude & 63) << 1) | sign | 128
    bytes[position + 1] = magnitude >> 6
    return position + 2
  }
  return putLongVarint2(bytes, position, sign, magnitude)
}
function putLongVarint2(bytes, start, sign, magnitude) {
  let position = start
  bytes[position++] = ((magnitude % 64) << 1) | sign | 128
  let rest = Math.floor(magnitude / 64)
  while (rest >= 128) {
    bytes[position++] = (rest % 128) | 128
    rest = Math.floor(rest / 128)
  }
  bytes[position++] = rest
  return position
}

// ../../tmp/stub/w2/text.ts
var SHORT_CHARS_MAX2 = 24
var SHORT_BYTES_MAX2 = 16
function bytesSize2(data) {
  if (typeof data === 'string') return textSize2(data)
  return data === null ? -1 : data.length
}
function textSize2(text) {
  const length = text.length
  if (length > SHORT_CHARS_MAX2) return Buffer.byteLength(text)
  let bits = 0
  for (let index = 0; index < length; index++) bits |= text.charCodeAt(index)
  return bits < 128 ? length : Buffer.byteLength(text)
}
function putSized2(buffer2, start, data, size) {
  const position = putVarint2(buffer2, start, size)
  if (data === null) return position
  if (typeof data === 'string') putText2(buffer2, position, data, size)
  else putBytes2(buffer2, position, data)
  return position + size
}
function putText2(buffer2, position, text, size) {
  const length = text.length
  if (size !== length) {
    buffer2.write(text, position, size, 'utf8')
    return
  }
  if (length > SHORT_CHARS_MAX2) {
    buffer2.write(text, position, size, 'latin1')
    return
  }
  for (let index = 0; index < length; index++) buffer2[position + index] = text.charCodeAt(index)
}
function putBytes2(buffer2, position, bytes) {
  const length = bytes.length
  if (length > SHORT_BYTES_MAX2) {
    buffer2.set(bytes, position)
    return
  }
  for (let index = 0; index < length; index++) buffer2[position + index] = bytes[index]
}

// ../../tmp/stub/w2/batch-writer.ts
var RECORD_OVERHEAD_MAX2 = 5 + 1 + 10 + 5 + 5 + 5 + 5
var HEADER_OVERHEAD_MAX2 = 5 + 5
var BatchWriter2 = class {
  #buffer
  /** Where the next record begins. Invariant: BATCH_HEADER_SIZE <= #position <= #buffer.length. */
  #position = BATCH_HEADER_SIZE2
  #recordCount = 0
  #baseTimestamp = 0
  #maxTimestamp = 0
  /** `buffer` is lent until the sealed batch is no longer needed; `seal` says when that is. */
  constructor(buffer2) {
    assert(buffer2.length >= BATCH_HEADER_SIZE2, 'a batch buffer holds at least a header')
    this.#buffer = buffer2
  }
  /** Begins another batch. */
  reset(buffer2) {
    assert(buffer2.length >= BATCH_HEADER_SIZE2, 'a batch buffer holds at least a header')
    this.#buffer = buffer2
    this.#position = BATCH_HEADER_SIZE2
    this.#recordCount = 0
  }
  /** Goes on in a larger buffer; the former one is free again. */
  grow(buffer2) {
    assert(buffer2.length >= this.#position, 'a larger buffer holds what was written')
    buffer2.set(this.#buffer.subarray(BATCH_HEADER_SIZE2, this.#position), BATCH_HEADER_SIZE2)
    this.#buffer = buffer2
  }
  get recordCount() {
    return this.#recordCount
  }
  /** Of the batch so far, uncompressed, with its header. */
  get sizeBytes() {
    return this.#position
  }
  /** Bytes of a batch that holds this record alone, at most. */
  static recordSizeMax(key, value2, headers) {
    let size = BATCH_HEADER_SIZE2 + RECORD_OVERHEAD_MAX2
    size += Math.max(bytesSize2(key), 0) + Math.max(bytesSize2(value2), 0)
    for (const [name, headerValue] of headers ?? []) {
      size += HEADER_OVERHEAD_MAX2 + bytesSize2(name) + Math.max(bytesSize2(headerValue), 0)
    }
    return size
  }
  /**
   * Writes one record behind the others; strings become UTF-8 in place.
   *
   * Units   `timestampMs`: wall clock, -1 for none.
   * Holds   false: it does not fit and nothing was written.
   */
  tryAppend(timestampMs, key, value2, headers) {
    assert(Number.isSafeInteger(timestampMs) && timestampMs >= -1, 'a timestamp is -1 or a time')
    const buffer2 = this.#buffer
    const offsetDelta = this.#recordCount
    const timestampDelta = offsetDelta === 0 ? 0 : timestampMs - this.#baseTimestamp
    const keySize = bytesSize2(key)
    const valueSize = bytesSize2(value2)
    let size = 1 + varintSize2(timestampDelta) + varintSize2(offsetDelta)
    size += keySize < 0 ? 1 : varintSize2(keySize) + keySize
    size += valueSize < 0 ? 1 : varintSize2(valueSize) + valueSize
    size += headers === void 0 ? 1 : headersSize2(headers)
    const end = this.#position + varintSize2(size) + size
    if (end > buffer2.length) return false
    let position = putVarint2(buffer2, this.#position, size)
    buffer2[position++] = 0
    position = putVarint2(buffer2, position, timestampDelta)
    position = putVarint2(buffer2, position, offsetDelta)
    position = putSized2(buffer2, position, key, keySize)
    position = putSized2(buffer2, position, value2, valueSize)
    if (headers === void 0) buffer2[position++] = 0
    else position = putHeaders2(buffer2, position, headers)
    assert(position === end, 'a record takes the bytes that were counted for it')
    if (offsetDelta === 0) this.#baseTimestamp = this.#maxTimestamp = timestampMs
    else if (timestampMs > this.#maxTimestamp) this.#maxTimestamp = timestampMs
    this.#position = position
    this.#recordCount++
    return true
  }
  /**
   * Compresses, writes the header and sums.
   *
   * Shape   compression 'none': a view of the lent buffer, which stays lent as long as the batch is needed.
   *         Otherwise a buffer of its own, and the lent one is free again. Records that would not shrink,
   *         or shrink so much that readers had to suspect a bomb, stay uncompressed in it.
   * Errors  none; `compress.prepare(compression)` has resolved before.
   */
  seal(compress2, options) {
    assert(this.#recordCount > 0, 'a batch has records before it is sealed')
    const records = this.#buffer.subarray(BATCH_HEADER_SIZE2, this.#position)
    if (options.compression === 'none') {
      const batch2 = this.#buffer.subarray(0, this.#position)
      this.#putHeader(batch2, 0, options)
      return batch2
    }
    const compressed = compress2.compress(options.compression, records)
    const fits = compressed.length < records.length
    const readable = records.length <= bodyBytesMax2(compressed.length)
    const body = fits && readable ? compressed : records
    const batch = Buffer.allocUnsafeSlow(BATCH_HEADER_SIZE2 + body.length)
    batch.set(body, BATCH_HEADER_SIZE2)
    this.#putHeader(
      batch,
      body === records ? 0 : COMPRESSIONS2.indexOf(options.compression),
      options,
    )
    return batch
  }
  #putHeader(batch, compressionBits, options) {
    putInt642(batch, BASE_OFFSET2, 0)
    putInt322(batch, LENGTH2, batch.length - LENGTH_OVERHEAD2)
    putInt322(batch, LEADER_EPOCH2, -1)
    batch[MAGIC5] = MAGIC_V22
    const transactionalBit = options.transactional === true ? TRANSACTIONAL_BIT2 : 0
    putInt162(batch, ATTRIBUTES2, compressionBits | transactionalBit)
    putInt322(batch, LAST_OFFSET_DELTA2, this.#recordCount - 1)
    putInt642(batch, BASE_TIMESTAMP2, this.#baseTimestamp)
    putInt642(batch, MAX_TIMESTAMP2, this.#maxTimestamp)
    putInt642(batch, PRODUCER_ID2, options.producerId)
    putInt162(batch, PRODUCER_EPOCH2, options.producerEpoch)
    putInt322(batch, BASE_SEQUENCE2, options.baseSequence)
    putInt322(batch, RECORD_COUNT2, this.#recordCount)
    sumBatch2(batch)
  }
}
function headersSize2(headers) {
  let size = varintSize2(headers.length)
  for (let index = 0; index < headers.length; index++) {
    const header = headers[index]
    const nameSize = bytesSize2(header[0])
    const valueSize = bytesSize2(header[1])
    size += varintSize2(nameSize) + nameSize
    size += valueSize < 0 ? 1 : varintSize2(valueSize) + valueSize
  }
  return size
}
function putHeaders2(buffer2, start, headers) {
  let position = putVarint2(buffer2, start, headers.length)
  for (let index = 0; index < headers.length; index++) {
    const header = headers[index]
    position = putSized2(buffer2, position, header[0], bytesSize2(header[0]))
    position = putSized2(buffer2, position, header[1], bytesSize2(header[1]))
  }
  return position
}

// packages/protocol/src/records/batch-body.ts
function readSoundHeader(batch) {
  const header = readBatchHeader(batch)
  const offset = header.baseOffset
  if (batchSizeAt(batch) !== batch.length) {
    const message = `The batch has ${batch.length} bytes, its header says ${header.sizeBytes}.`
    throw new MinikafkaError('CORRUPT_MESSAGE', { message, offset })
  }
  if (batchMagicAt(batch) !== MAGIC_V2) refuse4(offset, `has the magic ${header.magic}, not 2`)
  if (!batchCrcIsRight(batch)) throw new MinikafkaError('CORRUPT_MESSAGE', { offset })
  if (!Number.isSafeInteger(offset) || offset < 0) refuse4(offset, 'has a base offset out of range')
  if (!Number.isSafeInteger(header.lastOffset)) refuse4(offset, 'has a last offset out of range')
  if (header.lastOffsetDelta < 0) refuse4(offset, 'has a negative last offset delta')
  if (header.recordCount < 0) refuse4(offset, 'has a negative record count')
  if (!Number.isSafeInteger(header.baseTimestamp))
    refuse4(offset, 'has a base timestamp out of range')
  if (!Number.isSafeInteger(header.maxTimestamp))
    refuse4(offset, 'has a max timestamp out of range')
  return header
}
function readBody(batch, header, compress2, sizeMax) {
  const size = batch.length - BATCH_HEADER_SIZE
  const body = Buffer.from(batch.buffer, batch.byteOffset + BATCH_HEADER_SIZE, size)
  const offset = header.baseOffset
  if (header.compression === 'none') return body
  if (header.compression === void 0) {
    const number2 = header.attributes & COMPRESSION_MASK
    const message = `The batch at offset ${offset} has the unknown compression type ${number2}.`
    throw new MinikafkaError('UNSUPPORTED_COMPRESSION_TYPE', { message, offset })
  }
  try {
    return compress2.decompress(header.compression, body, Math.min(sizeMax, bodyBytesMax(size)))
  } catch (error) {
    if (!(error instanceof CompressionError)) throw error
    return refuse4(offset, `does not decompress: ${error.message}`, error)
  }
}
function refuse4(offset, problem, cause) {
  const message = `The batch at offset ${offset} ${problem}.`
  throw new MinikafkaError('INVALID_RECORD', { message, offset }, { cause })
}

// packages/protocol/src/records/batch-reader.ts
var VARINT_BYTES_MAX = 5
var VARLONG_BYTES_MAX = 10
var BatchReader = class {
  header
  /** The records, decompressed. A view of the batch where it came uncompressed. */
  body
  // The cursor: the record that the last next() reached. Sizes are -1 for null; positions are in `body`.
  offset = -1
  timestamp = -1
  keyStart = 0
  keySize = -1
  valueStart = 0
  valueSize = -1
  headersStart = 0
  headerCount = 0
  /** Where the record begins that next() reads. Invariant: #position <= body.length. */
  #position = 0
  /** Where the number ended that was read last, as far as it was not read in place. */
  #numberEnd = 0
  /** No field of the record lies beyond. Invariant: #limit <= body.length. */
  #limit = 0
  #recordsLeft
  #offsetDelta = -1
  /**
   * Checks the CRC and decompresses, once.
   *
   * Shape   `batch`: exactly one batch. `compress.prepare(header.compression)` has resolved before.
   * Errors  CORRUPT_MESSAGE, INVALID_RECORD, UNSUPPORTED_COMPRESSION_TYPE, each with the base offset.
   */
  constructor(batch, compress2, sizeMax = BODY_BYTES_MAX) {
    this.header = readSoundHeader(batch)
    this.body = readBody(batch, this.header, compress2, sizeMax)
    this.#recordsLeft = this.header.recordCount
  }
  /** Where to go on after this batch, whether it was read, broken, or compacted at its end. */
  get nextOffset() {
    return this.header.lastOffset + 1
  }
  /**
   * Moves the cursor to the next record; false at the end.
   *
   * Six numbers are read in place where they have one byte, as most do: a call for each would double the price
   * of a record (scripts/bench-records.ts). What such a byte says beyond the record's end does no harm, for a
   * record that is not used up exactly is refused below.
   *
   * Errors  INVALID_RECORD with the offset of the broken record; asked again it throws again.
   */
  next() {
    if (this.#recordsLeft === 0) return this.#end()
    const body = this.body
    this.#limit = body.length
    let position = this.#position
    let byte = body[position++]
    const size = byte < 128 ? (byte >>> 1) ^ -(byte & 1) : this.#long32(byte, position)
    if (byte >= 128) position = this.#numberEnd
    const end = position + size
    this.#enterRecord(size, end)
    position++
    byte = body[position++]
    const timestampDelta = byte < 128 ? (byte >>> 1) ^ -(byte & 1) : this.#long64(byte, position)
    if (byte >= 128) position = this.#numberEnd
    byte = body[position++]
    const offsetDelta = byte < 128 ? (byte >>> 1) ^ -(byte & 1) : this.#long32(byte, position)
    if (byte >= 128) position = this.#numberEnd
    byte = body[position++]
    const keySize = byte < 128 ? (byte >>> 1) ^ -(byte & 1) : this.#long32(byte, position)
    if (byte >= 128) position = this.#numberEnd
    const keyStart = position
    if (keySize > 0) position += keySize
    byte = body[position++]
    const valueSize = byte < 128 ? (byte >>> 1) ^ -(byte & 1) : this.#long32(byte, position)
    if (byte >= 128) position = this.#numberEnd
    const valueStart = position
    if (valueSize > 0) position += valueSize
    byte = body[position++]
    const headerCount = byte < 128 ? (byte >>> 1) ^ -(byte & 1) : this.#long32(byte, position)
    if (byte >= 128) position = this.#numberEnd
    const headersStart = position
    if (headerCount !== 0) position = this.#endOfHeaders(position, headerCount)
    if (keySize < -1 || valueSize < -1) this.#refuse('has a key or a value of negative size')
    if (position !== end) this.#refuse('does not end where its size says')
    this.#setTimestamp(timestampDelta)
    this.#setOffset(offsetDelta)
    this.keyStart = keyStart
    this.keySize = keySize
    this.valueStart = valueStart
    this.valueSize = valueSize
    this.headersStart = headersStart
    this.headerCount = headerCount
    this.#position = end
    this.#recordsLeft--
    return true
  }
  /** The following next() yields the first record at or above `offset`. Errors as in next(). */
  skipTo(offset) {
    for (;;) {
      const position = this.#position
      const offsetDelta = this.#offsetDelta
      if (this.header.baseOffset + offsetDelta >= offset - 1 || !this.next()) return
      if (this.offset < offset) continue
      this.#position = position
      this.#offsetDelta = offsetDelta
      this.#recordsLeft++
      return
    }
  }
  #end() {
    if (this.#position !== this.body.length) {
      this.#refuse('is one more than the batch header counts')
    }
    return false
  }
  #enterRecord(size, end) {
    if (size < RECORD_SIZE_MIN - 1) this.#refuse(`has the size ${size}`)
    if (end > this.#limit) this.#refuse('is longer than the batch')
    this.#limit = end
  }
  #setOffset(delta) {
    if (delta <= this.#offsetDelta)
      this.#refuse(`comes after a record of the same or a higher offset`)
    if (delta > this.header.lastOffsetDelta) this.#refuse('is above the last offset of the batch')
    this.offset = this.header.baseOffset + delta
    this.#offsetDelta = delta
  }
  #setTimestamp(delta) {
    const { header } = this
    if (header.timestampType === 'append') {
      this.timestamp = header.maxTimestamp
      return
    }
    const timestamp = header.baseTimestamp + delta
    if (!Number.isSafeInteger(timestamp)) this.#refuse('has a timestamp beyond 2^53')
    this.timestamp = timestamp
  }
  #endOfHeaders(start, count) {
    if (count < 0) this.#refuse(`has ${count} headers`)
    this.#numberEnd = start
    for (let index = 0; index < count; index++) {
      const nameSize = this.#number(this.#numberEnd)
      if (nameSize < 0) this.#refuse('has a header without a name')
      const valueSize = this.#number(this.#numberEnd + nameSize)
      if (valueSize < -1) this.#refuse(`has a header of size ${valueSize}`)
      if (valueSize > 0) this.#numberEnd += valueSize
    }
    return this.#numberEnd
  }
  /** The varint at `position`. */
  #number(position) {
    if (position >= this.#limit) this.#refuse('ends within a field')
    const first = this.body[position]
    if (first >= 128) return this.#long32(first, position + 1)
    this.#numberEnd = position + 1
    return (first >>> 1) ^ -(first & 1)
  }
  /** A varint of 32 bits whose `first` byte says that more follow, at `position`. */
  #long32(first, position) {
    const value2 = this.#long(first, position, VARINT_BYTES_MAX)
    if (value2 !== (value2 | 0)) this.#refuse('has a number beyond 32 bits')
    return value2
  }
  #long64(first, position) {
    return this.#long(first, position, VARLONG_BYTES_MAX)
  }
  #long(first, position, bytesMax) {
    if (position >= this.#limit) this.#refuse('ends within a field')
    const second = this.body[position]
    if (second >= 128 || second === 0) return this.#longer(first, position, bytesMax)
    this.#numberEnd = position + 1
    const bits = (first & 127) | (second << 7)
    return (bits >>> 1) ^ -(bits & 1)
  }
  /** Magnitudes beyond 2^53 come rounded; none of them passes for a safe integer. */
  #longer(first, start, bytesMax) {
    let magnitude = (first & 127) >>> 1
    let scale = 64
    for (let position = start; position < this.#limit; position++) {
      const size = position - start + 2
      if (size > bytesMax) this.#refuse('has a number that is too long')
      const byte = this.body[position]
      magnitude += (byte & 127) * scale
      scale *= 128
      if (byte >= 128) continue
      if (byte === 0) this.#refuse('has a number that is not in its shortest form')
      if (size === VARLONG_BYTES_MAX && byte > 1) this.#refuse('has a number beyond 64 bits')
      this.#numberEnd = position + 1
      return (first & 1) === 0 ? magnitude : -1 - magnitude
    }
    return this.#refuse('ends within a field')
  }
  #refuse(problem) {
    const offset = this.header.baseOffset + this.#offsetDelta + 1
    throw new MinikafkaError('INVALID_RECORD', {
      message: `The record at offset ${offset} ${problem}.`,
      offset,
    })
  }
}

// ../../tmp/stub/w2/batch-body.ts
function readSoundHeader2(batch) {
  const header = readBatchHeader2(batch)
  const offset = header.baseOffset
  if (batchSizeAt2(batch) !== batch.length) {
    const message = `The batch has ${batch.length} bytes, its header says ${header.sizeBytes}.`
    throw new MinikafkaError2('CORRUPT_MESSAGE', { message, offset })
  }
  if (batchMagicAt2(batch) !== MAGIC_V22) refuse5(offset, `has the magic ${header.magic}, not 2`)
  if (!batchCrcIsRight2(batch)) throw new MinikafkaError2('CORRUPT_MESSAGE', { offset })
  if (!Number.isSafeInteger(offset) || offset < 0) refuse5(offset, 'has a base offset out of range')
  if (!Number.isSafeInteger(header.lastOffset)) refuse5(offset, 'has a last offset out of range')
  if (header.lastOffsetDelta < 0) refuse5(offset, 'has a negative last offset delta')
  if (header.recordCount < 0) refuse5(offset, 'has a negative record count')
  if (!Number.isSafeInteger(header.baseTimestamp))
    refuse5(offset, 'has a base timestamp out of range')
  if (!Number.isSafeInteger(header.maxTimestamp))
    refuse5(offset, 'has a max timestamp out of range')
  return header
}
function readBody2(batch, header, compress2, sizeMax) {
  const size = batch.length - BATCH_HEADER_SIZE2
  const body = Buffer.from(batch.buffer, batch.byteOffset + BATCH_HEADER_SIZE2, size)
  const offset = header.baseOffset
  if (header.compression === 'none') return body
  if (header.compression === void 0) {
    const number2 = header.attributes & COMPRESSION_MASK2
    const message = `The batch at offset ${offset} has the unknown compression type ${number2}.`
    throw new MinikafkaError2('UNSUPPORTED_COMPRESSION_TYPE', { message, offset })
  }
  try {
    return compress2.decompress(header.compression, body, Math.min(sizeMax, bodyBytesMax2(size)))
  } catch (error) {
    if (!(error instanceof CompressionError)) throw error
    return refuse5(offset, `does not decompress: ${error.message}`, error)
  }
}
function refuse5(offset, problem, cause) {
  const message = `The batch at offset ${offset} ${problem}.`
  throw new MinikafkaError2('INVALID_RECORD', { message, offset }, { cause })
}

// ../../tmp/stub/w2/batch-reader.ts
var VARINT_BYTES_MAX2 = 5
var VARLONG_BYTES_MAX2 = 10
var BatchReader2 = class {
  header
  /** The records, decompressed. A view of the batch where it came uncompressed. */
  body
  // The cursor: the record that the last next() reached. Sizes are -1 for null; positions are in `body`.
  offset = -1
  timestamp = -1
  keyStart = 0
  keySize = -1
  valueStart = 0
  valueSize = -1
  headersStart = 0
  headerCount = 0
  /** Where the record begins that next() reads. Invariant: #position <= body.length. */
  #position = 0
  /** Where the number ended that was read last, as far as it was not read in place. */
  #numberEnd = 0
  /** No field of the record lies beyond. Invariant: #limit <= body.length. */
  #limit = 0
  #recordsLeft
  #offsetDelta = -1
  /**
   * Checks the CRC and decompresses, once.
   *
   * Shape   `batch`: exactly one batch. `compress.prepare(header.compression)` has resolved before.
   * Errors  CORRUPT_MESSAGE, INVALID_RECORD, UNSUPPORTED_COMPRESSION_TYPE, each with the base offset.
   */
  constructor(batch, compress2, sizeMax = BODY_BYTES_MAX2) {
    this.header = readSoundHeader2(batch)
    this.body = readBody2(batch, this.header, compress2, sizeMax)
    this.#recordsLeft = this.header.recordCount
  }
  /** Where to go on after this batch, whether it was read, broken, or compacted at its end. */
  get nextOffset() {
    return this.header.lastOffset + 1
  }
  /**
   * Moves the cursor to the next record; false at the end.
   *
   * Six numbers are read in place where they have one byte, as most do: a call for each would double the price
   * of a record (scripts/bench-records.ts). What such a byte says beyond the record's end does no harm, for a
   * record that is not used up exactly is refused below.
   *
   * Errors  INVALID_RECORD with the offset of the broken record; asked again it throws again.
   */
  next() {
    if (this.#recordsLeft === 0) return this.#end()
    const body = this.body
    this.#limit = body.length
    let position = this.#position
    let byte = body[position++]
    const size = byte < 128 ? (byte >>> 1) ^ -(byte & 1) : this.#long32(byte, position)
    if (byte >= 128) position = this.#numberEnd
    const end = position + size
    this.#enterRecord(size, end)
    position++
    byte = body[position++]
    const timestampDelta = byte < 128 ? (byte >>> 1) ^ -(byte & 1) : this.#long64(byte, position)
    if (byte >= 128) position = this.#numberEnd
    byte = body[position++]
    const offsetDelta = byte < 128 ? (byte >>> 1) ^ -(byte & 1) : this.#long32(byte, position)
    if (byte >= 128) position = this.#numberEnd
    byte = body[position++]
    const keySize = byte < 128 ? (byte >>> 1) ^ -(byte & 1) : this.#long32(byte, position)
    if (byte >= 128) position = this.#numberEnd
    const keyStart = position
    if (keySize > 0) position += keySize
    byte = body[position++]
    const valueSize = byte < 128 ? (byte >>> 1) ^ -(byte & 1) : this.#long32(byte, position)
    if (byte >= 128) position = this.#numberEnd
    const valueStart = position
    if (valueSize > 0) position += valueSize
    byte = body[position++]
    const headerCount = byte < 128 ? (byte >>> 1) ^ -(byte & 1) : this.#long32(byte, position)
    if (byte >= 128) position = this.#numberEnd
    const headersStart = position
    if (headerCount !== 0) position = this.#endOfHeaders(position, headerCount)
    if (keySize < -1 || valueSize < -1) this.#refuse('has a key or a value of negative size')
    if (position !== end) this.#refuse('does not end where its size says')
    this.#setTimestamp(timestampDelta)
    this.#setOffset(offsetDelta)
    this.keyStart = keyStart
    this.keySize = keySize
    this.valueStart = valueStart
    this.valueSize = valueSize
    this.headersStart = headersStart
    this.headerCount = headerCount
    this.#position = end
    this.#recordsLeft--
    return true
  }
  /** The following next() yields the first record at or above `offset`. Errors as in next(). */
  skipTo(offset) {
    for (;;) {
      const position = this.#position
      const offsetDelta = this.#offsetDelta
      if (this.header.baseOffset + offsetDelta >= offset - 1 || !this.next()) return
      if (this.offset < offset) continue
      this.#position = position
      this.#offsetDelta = offsetDelta
      this.#recordsLeft++
      return
    }
  }
  #end() {
    if (this.#position !== this.body.length) {
      this.#refuse('is one more than the batch header counts')
    }
    return false
  }
  #enterRecord(size, end) {
    if (size < RECORD_SIZE_MIN2 - 1) this.#refuse(`has the size ${size}`)
    if (end > this.#limit) this.#refuse('is longer than the batch')
    this.#limit = end
  }
  #setOffset(delta) {
    if (delta <= this.#offsetDelta)
      this.#refuse(`comes after a record of the same or a higher offset`)
    if (delta > this.header.lastOffsetDelta) this.#refuse('is above the last offset of the batch')
    this.offset = this.header.baseOffset + delta
    this.#offsetDelta = delta
  }
  #setTimestamp(delta) {
    const { header } = this
    if (header.timestampType === 'append') {
      this.timestamp = header.maxTimestamp
      return
    }
    const timestamp = header.baseTimestamp + delta
    if (!Number.isSafeInteger(timestamp)) this.#refuse('has a timestamp beyond 2^53')
    this.timestamp = timestamp
  }
  #endOfHeaders(start, count) {
    if (count < 0) this.#refuse(`has ${count} headers`)
    this.#numberEnd = start
    for (let index = 0; index < count; index++) {
      const nameSize = this.#number(this.#numberEnd)
      if (nameSize < 0) this.#refuse('has a header without a name')
      const valueSize = this.#number(this.#numberEnd + nameSize)
      if (valueSize < -1) this.#refuse(`has a header of size ${valueSize}`)
      if (valueSize > 0) this.#numberEnd += valueSize
    }
    return this.#numberEnd
  }
  /** The varint at `position`. */
  #number(position) {
    if (position >= this.#limit) this.#refuse('ends within a field')
    const first = this.body[position]
    if (first >= 128) return this.#long32(first, position + 1)
    this.#numberEnd = position + 1
    return (first >>> 1) ^ -(first & 1)
  }
  /** A varint of 32 bits whose `first` byte says that more follow, at `position`. */
  #long32(first, position) {
    const value2 = this.#long(first, position, VARINT_BYTES_MAX2)
    if (value2 !== (value2 | 0)) this.#refuse('has a number beyond 32 bits')
    return value2
  }
  #long64(first, position) {
    return this.#long(first, position, VARLONG_BYTES_MAX2)
  }
  #long(first, position, bytesMax) {
    if (position >= this.#limit) this.#refuse('ends within a field')
    const second = this.body[position]
    if (second >= 128 || second === 0) return this.#longer(first, position, bytesMax)
    this.#numberEnd = position + 1
    const bits = (first & 127) | (second << 7)
    return (bits >>> 1) ^ -(bits & 1)
  }
  /** Magnitudes beyond 2^53 come rounded; none of them passes for a safe integer. */
  #longer(first, start, bytesMax) {
    let magnitude = (first & 127) >>> 1
    let scale = 64
    for (let position = start; position < this.#limit; position++) {
      const size = position - start + 2
      if (size > bytesMax) this.#refuse('has a number that is too long')
      const byte = this.body[position]
      magnitude += (byte & 127) * scale
      scale *= 128
      if (byte >= 128) continue
      if (byte === 0) this.#refuse('has a number that is not in its shortest form')
      if (size === VARLONG_BYTES_MAX2 && byte > 1) this.#refuse('has a number beyond 64 bits')
      this.#numberEnd = position + 1
      return (first & 1) === 0 ? magnitude : -1 - magnitude
    }
    return this.#refuse('ends within a field')
  }
  #refuse(problem) {
    const offset = this.header.baseOffset + this.#offsetDelta + 1
    throw new MinikafkaError2('INVALID_RECORD', {
      message: `The record at offset ${offset} ${problem}.`,
      offset,
    })
  }
}

// ../../tmp/stub/cmp.ts
var compress = nodeCompress()
var buffer = Buffer.alloc(512 * 1024)
var value = Buffer.alloc(100, 'v')
var cases = [
  ['none', null, value, void 0],
  ['key', 'customer9', value, void 0],
  ['keyb', Buffer.from('customer9'), value, void 0],
  ['str', 'customer9', 'v'.repeat(100), void 0],
  ['hdr', 'customer9', value, [['source', 'web']]],
  ['1k', null, Buffer.alloc(1024), void 0],
]
var cpu = () => {
  const u = process.cpuUsage()
  return u.user + u.system
}
function enc(W, key, val, h, ms) {
  const w = new W(buffer)
  const t = cpu()
  let n = 0,
    e = 0
  while ((e = cpu() - t) < ms * 1e3) {
    w.reset(buffer)
    while (w.tryAppend(17e11 + (w.recordCount >> 8), key, val, h));
    n += w.recordCount
  }
  return (e * 1e3) / n
}
function dec(R, batch, ms) {
  const t = cpu()
  let n = 0,
    e = 0
  while ((e = cpu() - t) < ms * 1e3) {
    const r2 = new R(batch, compress)
    while (r2.next()) n++
  }
  return (e * 1e3) / n
}
var med = (a) =>
  a.sort((x, y) => x - y)[a.length >> 1].toFixed(1) + ' (min ' + a[0].toFixed(1) + ')'
var only = process.argv[2]
for (const [name, k, v, h] of cases) {
  if (only && only !== name) continue
  const a = [],
    b = [],
    c2 = [],
    d = []
  const w = new BatchWriter(buffer)
  while (w.tryAppend(17e11 + (w.recordCount >> 8), k, v, h));
  const batch = Buffer.from(
    w.seal(compress, { compression: 'none', producerId: -1, producerEpoch: -1, baseSequence: -1 }),
  )
  for (let i = 0; i < 11; i++) {
    a.push(enc(BatchWriter, k, v, h, 60))
    b.push(enc(BatchWriter2, k, v, h, 60))
    c2.push(dec(BatchReader, batch, 60))
    d.push(dec(BatchReader2, batch, 60))
  }
  console.log(name.padEnd(6), 'enc', med(a), '|', med(b), '  dec', med(c2), '|', med(d))
}
