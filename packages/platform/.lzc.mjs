// packages/platform/src/env.ts
var CompressionError = class extends Error {
  name = "CompressionError";
};

// packages/platform/src/node/lz4-block.ts
var MATCH_MIN = 4;
var OFFSET_MAX = 65535;
var LAST_LITERALS = 5;
var MATCH_START_LIMIT = 12;
var HASH_BITS = 14;
var HASH_FACTOR = 2654435761 | 0;
var SKIP_SHIFT = 6;
var LONG_COPY_BYTES = 32;
function lz4HashTable() {
  return new Int32Array(1 << HASH_BITS);
}
function lz4BlockSizeMax(size) {
  return size + Math.ceil(size / 255) + 16;
}
function encodeLz4Block(input, start, end, output, outputStart, table) {
  const words = new DataView(input.buffer, input.byteOffset, input.byteLength);
  const matchStartMax = end - MATCH_START_LIMIT;
  const matchEndMax = end - LAST_LITERALS;
  let at = outputStart;
  let literalsStart = start;
  let position = start;
  let tries = 1 << SKIP_SHIFT;
  while (position <= matchStartMax) {
    const word2 = words.getInt32(position, true);
    const slot = Math.imul(word2, HASH_FACTOR) >>> 32 - HASH_BITS;
    const candidate = table[slot] - 1;
    table[slot] = position + 1;
    const near = candidate >= start && position - candidate <= OFFSET_MAX;
    if (!near || words.getInt32(candidate, true) !== word2) {
      position += tries++ >>> SKIP_SHIFT;
      continue;
    }
    let match = position + MATCH_MIN;
    while (match < matchEndMax && input[match] === input[candidate + match - position]) match++;
    at = putLiterals(input, literalsStart, position, match - position - MATCH_MIN, output, at);
    const offset = position - candidate;
    output[at++] = offset;
    output[at++] = offset >>> 8;
    at = putMore(output, at, match - position - MATCH_MIN);
    position = literalsStart = match;
    tries = 1 << SKIP_SHIFT;
  }
  return putLiterals(input, literalsStart, end, 0, output, at);
}
function putLiterals(input, start, end, matchExtra, output, tokenAt) {
  const count = end - start;
  output[tokenAt] = Math.min(count, 15) << 4 | Math.min(matchExtra, 15);
  const at = putMore(output, tokenAt + 1, count);
  copyBytes(input, start, output, at, count);
  return at + count;
}
function putMore(output, start, length) {
  let at = start;
  if (length < 15) return at;
  let rest = length - 15;
  for (; rest >= 255; rest -= 255) output[at++] = 255;
  output[at++] = rest;
  return at;
}
function decodeLz4Block(input, start, end, output, outputStart, reach, limit) {
  let position = start;
  let at = outputStart;
  while (position < end) {
    const token = input[position++];
    let literals = token >>> 4;
    if (literals === 15) {
      const more = readMore(input, position, end);
      literals += more;
      position += moreBytes(more);
    }
    if (literals > end - position || literals > limit - at) refuse();
    copyBytes(input, position, output, at, literals);
    position += literals;
    at += literals;
    if (position === end) return at;
    if (end - position < 2) refuse();
    const offset = input[position] | input[position + 1] << 8;
    position += 2;
    let length = token & 15;
    if (length === 15) {
      const more = readMore(input, position, end);
      length += more;
      position += moreBytes(more);
    }
    length += MATCH_MIN;
    if (offset === 0 || offset > at - reach || length > limit - at) refuse();
    if (length >= LONG_COPY_BYTES && offset >= length) {
      output.copyWithin(at, at - offset, at - offset + length);
      at += length;
    } else {
      for (const stop = at + length; at < stop; at++) output[at] = output[at - offset];
    }
  }
  return refuse();
}
function readMore(input, start, end) {
  let more = 0;
  for (let position = start; position < end; position++) {
    const byte = input[position];
    more += byte;
    if (byte !== 255) return more;
  }
  return refuse();
}
function moreBytes(more) {
  return Math.floor(more / 255) + 1;
}
function copyBytes(input, from, output, to, size) {
  if (size >= LONG_COPY_BYTES) {
    output.set(input.subarray(from, from + size), to);
    return;
  }
  for (let index = 0; index < size; index++) output[to + index] = input[from + index];
}
function refuse() {
  throw new CompressionError("an lz4 block reaches beyond its bytes or its bound");
}

// packages/platform/src/node/lz4-xxhash.ts
var PRIME_1 = 2654435761 | 0;
var PRIME_2 = 2246822519 | 0;
var PRIME_3 = 3266489917 | 0;
var PRIME_4 = 668265263;
var PRIME_5 = 374761393;
var STRIPE_BYTES = 16;
function xxhash32(bytes, start, end) {
  const size = end - start;
  const stripesEnd = start + size - size % STRIPE_BYTES;
  let hash = (stripesEnd === start ? PRIME_5 : sumStripes(bytes, start, stripesEnd)) + size;
  let position = stripesEnd;
  for (; position + 4 <= end; position += 4) {
    hash = Math.imul(rotate(hash + Math.imul(word(bytes, position), PRIME_3), 17), PRIME_4);
  }
  for (; position < end; position++) {
    hash = Math.imul(rotate(hash + Math.imul(bytes[position], PRIME_5), 11), PRIME_1);
  }
  hash = Math.imul(hash ^ hash >>> 15, PRIME_2);
  hash = Math.imul(hash ^ hash >>> 13, PRIME_3);
  return (hash ^ hash >>> 16) >>> 0;
}
function sumStripes(bytes, start, end) {
  let a = PRIME_1 + PRIME_2 | 0;
  let b = PRIME_2;
  let c3 = 0;
  let d = -PRIME_1 | 0;
  for (let position = start; position < end; position += STRIPE_BYTES) {
    a = round(a, word(bytes, position));
    b = round(b, word(bytes, position + 4));
    c3 = round(c3, word(bytes, position + 8));
    d = round(d, word(bytes, position + 12));
  }
  return rotate(a, 1) + rotate(b, 7) + rotate(c3, 12) + rotate(d, 18) | 0;
}
function round(lane, input) {
  return Math.imul(rotate(lane + Math.imul(input, PRIME_2), 13), PRIME_1);
}
function rotate(value, bits) {
  return value << bits | value >>> 32 - bits;
}
function word(bytes, position) {
  return bytes[position] | bytes[position + 1] << 8 | bytes[position + 2] << 16 | bytes[position + 3] << 24;
}

// packages/platform/src/node/lz4-frame.ts
var MAGIC = 407708164;
var VERSION_1 = 64;
var VERSION_MASK = 192;
var INDEPENDENT = 32;
var BLOCK_CHECKSUM = 16;
var CONTENT_SIZE = 8;
var CONTENT_CHECKSUM = 4;
var FLG_RESERVED = 2;
var DICTIONARY = 1;
var BD_RESERVED = 143;
var STORED = 2147483648;
var HEADER = Buffer.from("04224d18604082", "hex");
var BLOCK_BYTES_MAX = 64 * 1024;
var RATIO_MAX = 255;
function compressLz4Frame(input) {
  const blockCount = Math.ceil(input.length / BLOCK_BYTES_MAX);
  const sizeMax = HEADER.length + blockCount * (4 + lz4BlockSizeMax(BLOCK_BYTES_MAX)) + 4;
  const output = Buffer.allocUnsafeSlow(sizeMax);
  output.set(HEADER);
  const table = lz4HashTable();
  let at = HEADER.length;
  for (let start = 0; start < input.length; start += BLOCK_BYTES_MAX) {
    const end = Math.min(start + BLOCK_BYTES_MAX, input.length);
    const blockEnd = encodeLz4Block(input, start, end, output, at + 4, table);
    const size = blockEnd - at - 4;
    if (size < end - start) {
      output.writeUInt32LE(size, at);
      at = blockEnd;
    } else {
      output.writeUInt32LE(STORED + end - start, at);
      output.set(input.subarray(start, end), at + 4);
      at += 4 + end - start;
    }
  }
  output.writeUInt32LE(0, at);
  return output.subarray(0, at + 4);
}
function decompressLz4Frame(bytes, sizeMax) {
  const input = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const frame = readLz4Frame(input);
  const contentSize = frame.contentSize ?? 0;
  if (contentSize > sizeMax) refuse2(`declares ${contentSize} bytes, over ${sizeMax}`);
  const output = Buffer.allocUnsafeSlow(Math.min(frame.sizeMax, sizeMax));
  let at = 0;
  for (const { start, end, stored } of frame.blocks) {
    const limit = Math.min(at + frame.blockBytesMax, output.length);
    if (stored) {
      if (end - start > limit - at) refuse2(`gives more than ${sizeMax} bytes`);
      at += input.copy(output, at, start, end);
    } else {
      at = decodeLz4Block(input, start, end, output, at, frame.independent ? at : 0, limit);
    }
  }
  const content = output.subarray(0, at);
  checkContent(frame, content);
  return at * 2 < output.length ? Buffer.from(content) : content;
}
function readLz4Frame(bytes) {
  const input = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const head = readHeader(input);
  const blocks = [];
  let position = head.end;
  let sizeMax = 0;
  for (; ; ) {
    const word2 = uint32(input, position);
    position += 4;
    if (word2 === 0) break;
    const stored = word2 >= STORED;
    const size = stored ? word2 - STORED : word2;
    if (size > head.blockBytesMax) refuse2(`has a block of ${size} bytes`);
    const end = position + size;
    if (end > input.length) refuse2("ends within a block");
    blocks.push({ start: position, end, stored });
    sizeMax += stored ? size : Math.min(head.blockBytesMax, size * RATIO_MAX);
    position = end;
    if (!head.blockChecksums) continue;
    if (uint32(input, position) !== xxhash32(input, end - size, end)) refuse2("has a corrupt block");
    position += 4;
  }
  const contentChecksum = head.contentChecksum ? uint32(input, position) : void 0;
  if (position + (head.contentChecksum ? 4 : 0) !== input.length) refuse2("goes on after its end");
  const { independent, blockBytesMax, contentSize } = head;
  if (contentSize !== void 0 && contentSize > sizeMax) {
    refuse2(`declares ${contentSize} bytes in ${input.length}`);
  }
  return { independent, blockBytesMax, blocks, contentSize, contentChecksum, sizeMax };
}
function readHeader(input) {
  if (input.length < HEADER.length || uint32(input, 0) !== MAGIC) refuse2("has no frame header");
  const flags = input.readUInt8(4);
  const descriptor = input.readUInt8(5);
  if ((flags & VERSION_MASK) !== VERSION_1) refuse2("is of another version");
  if ((flags & FLG_RESERVED) !== 0 || (descriptor & BD_RESERVED) !== 0) refuse2("sets reserved bits");
  if ((flags & DICTIONARY) !== 0) refuse2("needs a dictionary");
  const blockSizeId = descriptor >> 4;
  if (blockSizeId < 4) refuse2(`has the block size ${blockSizeId}`);
  const hasSize = (flags & CONTENT_SIZE) !== 0;
  const checksumAt = hasSize ? 14 : 6;
  if (checksumAt >= input.length) refuse2("ends within its header");
  if (input.readUInt8(checksumAt) !== (xxhash32(input, 4, checksumAt) >>> 8 & 255)) {
    refuse2("has a corrupt header");
  }
  return {
    independent: (flags & INDEPENDENT) !== 0,
    blockChecksums: (flags & BLOCK_CHECKSUM) !== 0,
    contentChecksum: (flags & CONTENT_CHECKSUM) !== 0,
    contentSize: hasSize ? input.readUInt32LE(6) + input.readUInt32LE(10) * 2 ** 32 : void 0,
    blockBytesMax: 4 ** (blockSizeId + 4),
    end: checksumAt + 1
  };
}
function checkContent(frame, content) {
  if (frame.contentSize !== void 0 && frame.contentSize !== content.length) {
    refuse2(`declares ${frame.contentSize} bytes and gives ${content.length}`);
  }
  if (frame.contentChecksum === void 0) return;
  if (frame.contentChecksum !== xxhash32(content, 0, content.length)) refuse2("has corrupt content");
}
function uint32(input, position) {
  if (position + 4 > input.length) refuse2("ends too early");
  return input.readUInt32LE(position);
}
function refuse2(problem) {
  throw new CompressionError(`the lz4 frame ${problem}`);
}

// ../../tmp/stub/platform.ts
import { createRequire } from "node:module";

// packages/platform/src/assert.ts
var AssertionError = class extends Error {
  name = "AssertionError";
};
function assert(condition, sentence) {
  if (!condition) throw new AssertionError(sentence);
}

// packages/platform/src/node/gzip.ts
import { gunzipSync, gzipSync } from "node:zlib";
function gzipCodec() {
  return {
    prepare: async () => {
    },
    assertPrepared: () => {
    },
    compress: (input) => gzipSync(input),
    decompress(input, sizeMax) {
      const output = gunzipSync(input, { maxOutputLength: Math.max(sizeMax, 1) });
      if (output.length > sizeMax) throw new CompressionError(`gives more than ${sizeMax} bytes`);
      return output;
    }
  };
}

// packages/platform/src/node/lz4.ts
function lz4Codec() {
  let native;
  return {
    async prepare() {
      native ??= await loadNative();
    },
    // Our own codec needs no preparation, so there is always one.
    assertPrepared: () => {
    },
    compress: (input) => native === void 0 ? compressLz4Frame(input) : native.compressFrameSync(bufferOver(input)),
    decompress: decompressLz4Frame
  };
}
async function loadNative() {
  try {
    return (await import("lz4-napi")).default;
  } catch {
    return void 0;
  }
}
function bufferOver(bytes) {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

// packages/platform/src/node/snappy-block.ts
var RATIO_BYTES_IN = 3;
var RATIO_BYTES_OUT = 64;
var SIZE_BYTES_MAX = 5;
var LONG_COPY_BYTES2 = 32;
function readSnappySize(input, start, end) {
  let size = 0;
  for (let position = start; position < end && position < start + SIZE_BYTES_MAX; position++) {
    const byte = input[position];
    size += (byte & 127) * 2 ** (7 * (position - start));
    if (byte >= 128) continue;
    if (size * RATIO_BYTES_IN > (end - position - 1) * RATIO_BYTES_OUT) {
      throw new CompressionError(`snappy declares ${size} bytes in a block of ${end - start}`);
    }
    return size;
  }
  throw new CompressionError("snappy has no size");
}
function decodeSnappyBlock(input, start, end, output, outputStart) {
  const outputEnd = outputStart + readSnappySize(input, start, end);
  let position = start;
  while (input[position++] >= 128) ;
  let at = outputStart;
  while (position < end) {
    const tag = input[position++];
    const kind = tag & 3;
    if (kind === 0) {
      let length = (tag >>> 2) + 1;
      if (length > 60) {
        const lengthBytes = length - 60;
        length = littleEndian(input, position, lengthBytes, end) + 1;
        position += lengthBytes;
      }
      if (length > end - position || length > outputEnd - at) refuseCopy();
      copyLiteral(input, position, output, at, length);
      position += length;
      at += length;
    } else {
      const length = kind === 1 ? (tag >>> 2 & 7) + 4 : (tag >>> 2) + 1;
      let offset;
      if (kind === 1) {
        if (position === end) refuseCopy();
        offset = tag >>> 5 << 8 | input[position++];
      } else {
        offset = littleEndian(input, position, kind === 2 ? 2 : 4, end);
        position += kind === 2 ? 2 : 4;
      }
      if (offset === 0 || offset > at - outputStart || length > outputEnd - at) refuseCopy();
      for (let stop = at + length; at < stop; at++) output[at] = output[at - offset];
    }
  }
  if (at !== outputEnd) throw new CompressionError("snappy gives fewer bytes than it declares");
  return at;
}
function littleEndian(input, position, size, end) {
  if (size > end - position) throw new CompressionError("snappy ends within an element");
  if (size === 2) return input[position] | input[position + 1] << 8;
  let value = 0;
  for (let index = size - 1; index >= 0; index--) {
    value = value * 256 + input[position + index];
  }
  return value;
}
function copyLiteral(input, from, output, to, length) {
  if (length >= LONG_COPY_BYTES2) {
    input.copy(output, to, from, from + length);
    return;
  }
  for (let index = 0; index < length; index++) output[to + index] = input[from + index];
}
function refuseCopy() {
  throw new CompressionError("snappy reaches beyond its bytes");
}

// packages/platform/src/node/snappy.ts
var MAGIC2 = Buffer.from("82534e4150505900", "hex");
var HEADER2 = Buffer.concat([MAGIC2, Buffer.from("0000000100000001", "hex")]);
var VERSION = 1;
var COMPATIBLE_VERSION_AT = 12;
var CHUNK_BYTES_MAX = 32 * 1024;
function snappyCodec() {
  let snappy;
  return {
    async prepare() {
      snappy ??= (await import("snappyjs")).default;
    },
    assertPrepared() {
      assert(snappy !== void 0, "snappy is prepared before its first use");
    },
    compress(input) {
      assert(snappy !== void 0, "snappy is prepared before its first use");
      return compressChunks(snappy, input);
    },
    decompress
  };
}
function compressChunks(snappy, input) {
  const parts = [HEADER2];
  for (let start = 0; start < input.length; start += CHUNK_BYTES_MAX) {
    const size = Math.min(CHUNK_BYTES_MAX, input.length - start);
    const chunk = snappy.compress(Buffer.from(input.buffer, input.byteOffset + start, size));
    const head = Buffer.allocUnsafe(4);
    head.writeInt32BE(chunk.length);
    parts.push(head, chunk);
  }
  return Buffer.concat(parts);
}
function decompress(bytes, sizeMax) {
  const input = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const chunks = isXerial(input) ? findChunks(input) : [{ start: 0, end: input.length }];
  let size = 0;
  for (const { start, end } of chunks) size += readSnappySize(input, start, end);
  if (size > sizeMax) throw new CompressionError(`snappy declares ${size} bytes, over ${sizeMax}`);
  const output = Buffer.allocUnsafe(size);
  let position = 0;
  for (const { start, end } of chunks) {
    position = decodeSnappyBlock(input, start, end, output, position);
  }
  assert(position === size, "blocks of snappy fill what they declare");
  return output;
}
function isXerial(input) {
  return input.length >= HEADER2.length && input.subarray(0, MAGIC2.length).equals(MAGIC2);
}
function findChunks(input) {
  const version = input.readInt32BE(COMPATIBLE_VERSION_AT);
  if (version > VERSION) throw new CompressionError(`snappy in a framing of version ${version}`);
  const chunks = [];
  let position = HEADER2.length;
  while (position < input.length) {
    if (input.length - position < 4) throw new CompressionError("snappy ends within a chunk header");
    const start = position + 4;
    const size = input.readInt32BE(position);
    if (size < 1 || size > input.length - start) {
      throw new CompressionError(
        `snappy has a chunk of ${size} bytes, ${input.length - start} are left`
      );
    }
    chunks.push({ start, end: start + size });
    position = start + size;
  }
  return chunks;
}

// packages/platform/src/node/zstd.ts
import * as zlib from "node:zlib";

// packages/platform/src/node/zstd-frame.ts
var MAGIC3 = 4247762216;
var SKIPPABLE_MAGIC = 25481893;
var SINGLE_SEGMENT = 32;
var RESERVED = 8;
var CHECKSUM = 4;
var BLOCK_BYTES_MAX2 = 128 * 1024;
var WINDOW_BYTES_MAX = 128 * 1024 * 1024;
var DICTIONARY_BYTES = [0, 1, 2, 4];
function readZstdFrames(bytes) {
  const input = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const frames = [];
  let position = 0;
  while (position < input.length) {
    const magic = number(input, position, 4);
    if (magic >>> 4 === SKIPPABLE_MAGIC) {
      position += 8 + number(input, position + 4, 4);
      if (position > input.length) refuse3("ends within a skippable frame");
      continue;
    }
    if (magic !== MAGIC3) refuse3("has no frame header");
    const frame = readFrame(input, position);
    frames.push(frame);
    position = frame.end;
  }
  if (frames.length === 0) refuse3("is empty");
  return frames;
}
function readFrame(input, start) {
  const { blocksStart, windowSize, contentSize, checksum } = readHeader2(input, start);
  if (windowSize > WINDOW_BYTES_MAX) refuse3(`needs a window of ${windowSize} bytes`);
  const blockBytesMax = Math.min(windowSize, BLOCK_BYTES_MAX2);
  let position = blocksStart;
  let sizeMax = 0;
  for (let last = false; !last; ) {
    const head = number(input, position, 3);
    last = (head & 1) === 1;
    const type = head >> 1 & 3;
    const size = head >> 3;
    if (type === 3) refuse3("has a block of a reserved type");
    if (size > blockBytesMax) refuse3(`has a block of ${size} bytes`);
    position += 3 + (type === 1 ? 1 : size);
    if (position > input.length) refuse3("ends within a block");
    sizeMax += type === 2 ? blockBytesMax : size;
  }
  const end = position + (checksum ? 4 : 0);
  if (end > input.length) refuse3("ends within its checksum");
  if (contentSize !== void 0 && contentSize > sizeMax) {
    refuse3(`declares ${contentSize} bytes in ${end - start}`);
  }
  return { start, end, contentSize, sizeMax };
}
function readHeader2(input, start) {
  const descriptor = number(input, start + 4, 1);
  if ((descriptor & RESERVED) !== 0) refuse3("sets a reserved bit");
  const singleSegment = (descriptor & SINGLE_SEGMENT) !== 0;
  let position = start + 5;
  const windowByte = singleSegment ? 0 : number(input, position++, 1);
  const dictionaryBytes = DICTIONARY_BYTES[descriptor & 3];
  if (number(input, position, dictionaryBytes) !== 0) refuse3("needs a dictionary");
  position += dictionaryBytes;
  const contentSizeBytes = contentSizeWidth(descriptor >> 6, singleSegment);
  const declared = number(input, position, contentSizeBytes);
  const contentSize = contentSizeBytes === 2 ? declared + 256 : declared;
  return {
    blocksStart: position + contentSizeBytes,
    windowSize: singleSegment ? contentSize : windowBytes(windowByte),
    contentSize: contentSizeBytes === 0 ? void 0 : contentSize,
    checksum: (descriptor & CHECKSUM) !== 0
  };
}
function contentSizeWidth(flag, singleSegment) {
  if (flag === 0) return singleSegment ? 1 : 0;
  return 2 ** flag;
}
function windowBytes(byte) {
  const base = 2 ** (10 + (byte >> 3));
  return base + base / 8 * (byte & 7);
}
function number(input, position, size) {
  if (position + size > input.length) refuse3("ends too early");
  let value = 0;
  for (let index = size - 1; index >= 0; index--)
    value = value * 256 + input.readUInt8(position + index);
  return value;
}
function refuse3(problem) {
  throw new CompressionError(`the zstd frame ${problem}`);
}

// packages/platform/src/node/zstd.ts
function zstdCodec() {
  let zstd;
  return {
    async prepare() {
      zstd ??= nodeZstd() ?? await wasmZstd();
    },
    assertPrepared() {
      assert(zstd !== void 0, "zstd is prepared before its first use");
    },
    compress(input) {
      assert(zstd !== void 0, "zstd is prepared before its first use");
      return bufferOver2(zstd.compress(input));
    },
    decompress(input, sizeMax) {
      assert(zstd !== void 0, "zstd is prepared before its first use");
      return decompress2(zstd, input, sizeMax);
    }
  };
}
function bufferOver2(bytes) {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
function decompress2(zstd, input, sizeMax) {
  const frames = readZstdFrames(input);
  const outputs = [];
  let size = 0;
  for (const frame of frames) {
    const output = decompressFrame(zstd, input, frame, sizeMax - size);
    outputs.push(output);
    size += output.length;
  }
  return outputs.length === 1 ? bufferOver2(outputs[0]) : Buffer.concat(outputs);
}
function decompressFrame(zstd, input, frame, sizeMax) {
  const { start, end, contentSize } = frame;
  if (contentSize !== void 0 && contentSize > sizeMax) {
    throw new CompressionError(`zstd declares ${contentSize} bytes, over ${sizeMax}`);
  }
  const output = zstd.decompress(input.subarray(start, end), Math.min(frame.sizeMax, sizeMax));
  if (contentSize !== void 0 && output.length !== contentSize) {
    throw new CompressionError(`zstd declares ${contentSize} bytes and gives ${output.length}`);
  }
  return output;
}
function nodeZstd() {
  const { zstdCompressSync, zstdDecompressSync } = zlib;
  if (zstdCompressSync === void 0 || zstdDecompressSync === void 0) return void 0;
  return {
    compress: (input) => zstdCompressSync(input),
    decompress(frame, sizeMax) {
      const output = zstdDecompressSync(frame, { maxOutputLength: Math.max(sizeMax, 1) });
      if (output.length > sizeMax) throw new CompressionError(`gives more than ${sizeMax} bytes`);
      return output;
    }
  };
}
var started = {};
async function wasmZstd() {
  const { compress, decompress: decompress4, init } = await import("@bokuweb/zstd-wasm");
  started.wasm ??= init();
  await started.wasm;
  return {
    compress: (input) => compress(input),
    // Where no size is declared it allocates 1 MiB unless told otherwise, and fails above.
    decompress: (frame, sizeMax) => decompress4(frame, { defaultHeapSize: sizeMax })
  };
}

// packages/platform/src/node/compress.ts
function nodeCompress() {
  const codecs = {
    none: noneCodec,
    gzip: gzipCodec(),
    snappy: snappyCodec(),
    lz4: lz4Codec(),
    zstd: zstdCodec()
  };
  return {
    prepare: (name) => codecs[name].prepare(),
    compress: (name, input) => codecs[name].compress(input),
    decompress(name, input, sizeMax) {
      assert(Number.isSafeInteger(sizeMax) && sizeMax >= 0, "what decompression gives is bounded");
      const output = decompress3(name, codecs[name], input, sizeMax);
      assert(output.length <= sizeMax, "a codec keeps to its bound");
      return output;
    }
  };
}
function decompress3(name, codec, input, sizeMax) {
  codec.assertPrepared();
  try {
    return codec.decompress(input, sizeMax);
  } catch (cause) {
    if (cause instanceof CompressionError) throw cause;
    throw new CompressionError(`broken ${name}: ${cause.message}`, { cause });
  }
}
var noneCodec = {
  prepare: async () => {
  },
  assertPrepared: () => {
  },
  compress: bufferOver3,
  decompress(input, sizeMax) {
    if (input.length > sizeMax) throw new CompressionError(`gives more than ${sizeMax} bytes`);
    return bufferOver3(input);
  }
};
function bufferOver3(bytes) {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

// ../../tmp/stub/platform.ts
var r = createRequire("/work/main/packages/platform/package.json");
var c = r("@node-rs/crc32");

// ../../tmp/stub/lzc.ts
import { createRequire as createRequire2 } from "node:module";
var r2 = createRequire2("/work/main/packages/platform/package.json");
var n = r2("lz4-napi");
var sj = r2("snappyjs");
var cpu = () => {
  const u = process.cpuUsage();
  return u.user + u.system;
};
var s = 1;
var rnd = () => (s = s * 1103515245 + 12345 & 2147483647) / 2147483647;
var json = Buffer.from(Array.from({ length: 4e3 }, (_, i) => JSON.stringify({ orderId: "o-" + i, customer: "c-" + Math.floor(rnd() * 1e3), amount: Math.floor(rnd() * 1e5), currency: "EUR", note: Math.floor(rnd() * 1e9).toString(36) })).join("\n"));
var rep = Buffer.alloc(512 * 1024, "v");
var noise = Buffer.alloc(512 * 1024);
for (let i = 0; i < noise.length; i++) noise[i] = rnd() * 256;
var c2 = nodeCompress();
for (const x of ["snappy", "zstd", "lz4"]) await c2.prepare(x);
var f = (name, size, fn) => {
  const a = [];
  for (let k = 0; k < 7; k++) {
    const t = cpu();
    let m = 0;
    while (cpu() - t < 8e4) {
      fn();
      m += size;
    }
    ;
    a.push(m / (cpu() - t));
  }
  a.sort((x, y) => x - y);
  console.log("  " + name.padEnd(16), a[3].toFixed(0), "MB/s  max", a[6].toFixed(0));
};
for (const [name, d] of [["json", json], ["rep", rep], ["noise", noise]]) {
  console.log(name, d.length);
  const own = compressLz4Frame(d), nat = n.compressFrameSync(d);
  console.log("  sizes own", own.length, "native", nat.length);
  f("own c", d.length, () => compressLz4Frame(d));
  f("native c", d.length, () => n.compressFrameSync(d));
  f("own d", d.length, () => decompressLz4Frame(nat, d.length));
  f("native d", d.length, () => n.decompressFrameSync(nat));
  const sz = c2.compress("snappy", d);
  const szr = sj.compress(d);
  f("snappy c", d.length, () => c2.compress("snappy", d));
  f("snappy own d", d.length, () => c2.decompress("snappy", sz, d.length));
  f("snappyjs d", d.length, () => sj.uncompress(szr));
  for (const x of ["gzip", "zstd"]) {
    const z = c2.compress(x, d);
    f(x + " c " + z.length, d.length, () => c2.compress(x, d));
    f(x + " d", d.length, () => c2.decompress(x, z, d.length));
  }
}
