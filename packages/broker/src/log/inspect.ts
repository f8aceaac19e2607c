// `dump-log`: what stands in a segment file, also one that a broker writes to. Enters: a path. Leaves: lines; changes nothing.
import { DiskError, type Env } from '@minikafka/platform'
import {
  type BatchHeader,
  BatchReader,
  isMinikafkaError,
  readBatchHeader,
  readRecordHeaders,
} from '@minikafka/protocol'
import { BatchChain } from './batch-chain.ts'
import { parseSegmentName } from './segment.ts'
import { type InspectedBatch, type InspectedDamage, inspectSegment } from './segment-inspection.ts'
import { EXIT, StartError } from './start-error.ts'

/** One line for people. `problem`: something is wrong there. */
export type InspectLine = { readonly text: string; readonly problem: boolean }

export type DumpOptions = {
  /** Each record below its batch, as a line of JSON. */
  readonly records: boolean
  /** Batches that end before this offset are left out. */
  readonly from: number
}

/** Errors: StartError where the file cannot be read or is no segment by its name. */
export async function* dumpLog(
  env: Env,
  path: string,
  options: DumpOptions,
): AsyncGenerator<InspectLine> {
  const name = path.slice(path.lastIndexOf('/') + 1)
  const parsed = parseSegmentName(name)
  if (parsed?.extension !== 'log') {
    throw new StartError(EXIT.io, path, 'is no segment: its name is not twenty digits and .log')
  }
  try {
    const file = await env.disk.open(path, 'read')
    try {
      const size = await file.size()
      const segment = { file, baseOffset: parsed.baseOffset, size, endOffset: undefined }
      const chain = new BatchChain(parsed.baseOffset, -1, ANY_GAP)
      for await (const fact of inspectSegment(segment, chain, 'bytes')) {
        if (fact.kind === 'batch') yield* dumpBatch(env, fact, options)
        else yield dumpDamage(fact, size)
      }
    } finally {
      await file.close()
    }
  } catch (error) {
    if (!(error instanceof DiskError)) throw error
    throw new StartError(EXIT.io, path, error.message, { cause: error })
  }
}

export function plain(text: string): InspectLine {
  return { text, problem: false }
}

export function trouble(text: string): InspectLine {
  return { text, problem: true }
}

/** Without the partition's other files nobody knows where compaction and repairs left gaps. */
const ANY_GAP = { compactedBelow: Number.MAX_SAFE_INTEGER, holes: [], epochs: undefined }

function dumpDamage({ damage, bytes }: InspectedDamage, size: number): InspectLine {
  const { position, endPosition, fromOffset, reason } = damage
  if (bytes !== undefined)
    return trouble(`${batchText(readBatchHeader(bytes), position)}  CRC IS WRONG`)
  const goesOn = endPosition < size ? `batches go on at ${endPosition}` : 'nothing follows'
  const count = endPosition - position
  return trouble(
    `position ${position}  offset ${fromOffset}: ${reason}; ${count} bytes are no batch, ${goesOn}`,
  )
}

async function* dumpBatch(
  env: Env,
  { bytes, position }: InspectedBatch,
  { records, from }: DumpOptions,
): AsyncGenerator<InspectLine> {
  const header = readBatchHeader(bytes)
  if (header.lastOffset < from) return
  yield plain(batchText(header, position))
  if (!records) return
  try {
    if (header.compression !== undefined) await env.compress.prepare(header.compression)
    yield* dumpRecords(new BatchReader(bytes, env.compress), from)
  } catch (error) {
    if (!isMinikafkaError(error)) throw error
    yield trouble(`  ${error.name}: ${error.message}`)
  }
}

function batchText(header: BatchHeader, position: number): string {
  const { baseOffset, lastOffset, sizeBytes, leaderEpoch, recordCount, maxTimestamp } = header
  const parts = [
    `offsets ${baseOffset}-${lastOffset}`,
    `position ${position}`,
    `size ${sizeBytes}`,
    `records ${recordCount}`,
    `epoch ${leaderEpoch}`,
    `${header.timestampType} time ${timeText(maxTimestamp)}`,
    `codec ${header.compression ?? 'unknown'}`,
  ]
  if (header.producerId >= 0) {
    const { producerId, producerEpoch, baseSequence } = header
    parts.push(`producer ${producerId} epoch ${producerEpoch} sequence ${baseSequence}`)
  }
  if (header.transactional) parts.push('transactional')
  if (header.control) parts.push('control')
  return parts.join('  ')
}

function* dumpRecords(reader: BatchReader, from: number): Generator<InspectLine> {
  while (reader.next()) {
    if (reader.offset < from) continue
    const { body, offset, timestamp } = reader
    const key = fieldText(body, reader.keyStart, reader.keySize)
    const value = fieldText(body, reader.valueStart, reader.valueSize)
    const headers = readRecordHeaders(body, reader.headersStart, reader.headerCount).map(
      ([name, bytes]) => [name, bytes === null ? null : textOrBase64(bytes)],
    )
    yield plain(`  ${safeJson({ offset, timestamp, key, value, headers })}`)
  }
}

function timeText(timestampMs: number): string {
  const hasTime = timestampMs >= 0 && timestampMs <= 8.64e15
  return hasTime ? new Date(timestampMs).toISOString() : String(timestampMs)
}

function fieldText(body: Buffer, start: number, size: number): string | null {
  return size < 0 ? null : textOrBase64(body.subarray(start, start + size))
}

/** JSON leaves DEL and the C1 controls as they are, which a terminal obeys. */
function safeJson(value: object): string {
  return JSON.stringify(value).replace(/[\u007f-\u009f]/g, (control) => {
    return `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}

/** Text where the bytes are UTF-8. */
function textOrBase64(bytes: Buffer): string {
  const text = bytes.toString('utf8')
  return Buffer.from(text, 'utf8').equals(bytes) ? text : `base64:${bytes.toString('base64')}`
}
