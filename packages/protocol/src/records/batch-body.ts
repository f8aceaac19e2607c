// The way from the bytes of a batch to its records, for whoever reads them: a sound header, then the body.
import { type Compress, CompressionError } from '@minikafka/platform'
import { MinikafkaError } from '../errors.ts'
import {
  type BatchHeader,
  batchCrcIsRight,
  batchMagicAt,
  batchSizeAt,
  readBatchHeader,
} from './header.ts'
import * as at from './layout.ts'

/** Length and magic first, then the CRC, then the other fields (SECURITY, Node specifics). */
export function readSoundHeader(batch: Uint8Array): BatchHeader {
  const header = readBatchHeader(batch)
  const offset = header.baseOffset
  if (batchSizeAt(batch) !== batch.length) {
    const message = `The batch has ${batch.length} bytes, its header says ${header.sizeBytes}.`
    throw new MinikafkaError('CORRUPT_MESSAGE', { message, offset })
  }
  if (batchMagicAt(batch) !== at.MAGIC_V2) refuse(offset, `has the magic ${header.magic}, not 2`)
  if (!batchCrcIsRight(batch)) throw new MinikafkaError('CORRUPT_MESSAGE', { offset })
  if (!Number.isSafeInteger(offset) || offset < 0) refuse(offset, 'has a base offset out of range')
  if (!Number.isSafeInteger(header.lastOffset)) refuse(offset, 'has a last offset out of range')
  if (header.lastOffsetDelta < 0) refuse(offset, 'has a negative last offset delta')
  if (header.recordCount < 0) refuse(offset, 'has a negative record count')
  if (!Number.isSafeInteger(header.baseTimestamp))
    refuse(offset, 'has a base timestamp out of range')
  if (!Number.isSafeInteger(header.maxTimestamp)) refuse(offset, 'has a max timestamp out of range')
  return header
}

/** The records as they were before compression: at most `sizeMax` bytes, and at most 200 times what came. */
export function readBody(
  batch: Uint8Array,
  header: BatchHeader,
  compress: Compress,
  sizeMax: number,
): Buffer {
  const size = batch.length - at.BATCH_HEADER_SIZE
  const body = Buffer.from(batch.buffer, batch.byteOffset + at.BATCH_HEADER_SIZE, size)
  const offset = header.baseOffset
  if (header.compression === 'none') return body
  if (header.compression === undefined) {
    const number = header.attributes & at.COMPRESSION_MASK
    const message = `The batch at offset ${offset} has the unknown compression type ${number}.`
    throw new MinikafkaError('UNSUPPORTED_COMPRESSION_TYPE', { message, offset })
  }
  try {
    return compress.decompress(header.compression, body, Math.min(sizeMax, at.bodyBytesMax(size)))
  } catch (error) {
    if (!(error instanceof CompressionError)) throw error
    return refuse(offset, `does not decompress: ${error.message}`, error)
  }
}

function refuse(offset: number, problem: string, cause?: Error): never {
  const message = `The batch at offset ${offset} ${problem}.`
  throw new MinikafkaError('INVALID_RECORD', { message, offset }, { cause })
}
