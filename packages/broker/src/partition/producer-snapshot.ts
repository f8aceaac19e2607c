// `producer-snapshot`: what a partition knew of its producers below an offset (REPLICATION 2.10). Written before records
// leave the front of the log, for their headers go with them; at a roll that is worth it and at a clean stop, so that
// little is replayed.
// Enters: producers. Leaves: the same after a restart; or nothing, where the file is missing or damaged.
//
//   {"formatVersion", "topicId", "partition", "endOffset", "appendTimeMs"}
//   [id, epoch, isWhole, [batch ...], idleMs]        a line for each producer
//   batch: [firstSequence, lastSequence, firstOffset, lastOffset, appendTimeMs]
//   crc32c 1a2b3c4d
import { type Clock, crc32c, type Disk } from '@minikafka/platform'
import { checkedBody, checksumLine, PRODUCER_SNAPSHOT, readRegularFile } from '../log/index.ts'
import type { BatchMark, ProducerImage } from './producer-states.ts'

type Mark = readonly [number, number, number, number, number]
const MARK_FIELDS = 5
const FORMAT_VERSION = 1
/** Of this many producers and bytes in one turn: a millisecond. A broker may know a hundred thousand (max.producer.ids). */
const LINES_PER_SLICE = 250
const BYTES_PER_SLICE = 64 * 1024
const LINE_FEED = 10

type Place = { readonly clock: Pick<Clock, 'soon'>; readonly disk: Disk }

export type KnownProducers = {
  /** The largest append time that was given; -1: none. */
  readonly appendTimeMs: number
  /** Taken over many turns. */
  readonly producers: Iterable<ProducerImage>
}

export type ProducerSnapshot = KnownProducers & {
  readonly topicId: string
  readonly partition: number
  /** It covers every batch below. */
  readonly endOffset: number
}

/** Returns its size in bytes. Errors: DiskError. Holds: durable when it resolves. */
export async function saveProducerSnapshot(
  { clock, disk }: Place,
  directory: string,
  { producers, ...about }: ProducerSnapshot,
): Promise<number> {
  const slices: Buffer[] = []
  let crc = 0
  for (const slice of slicesOf({ formatVersion: FORMAT_VERSION, ...about }, producers)) {
    if (slices.length > 0) await nextTurn(clock)
    slices.push(slice)
    crc = crc32c(slice, crc)
  }
  slices.push(checksumLine(crc))
  await disk.replaceFile(`${directory}/${PRODUCER_SNAPSHOT}`, slices)
  return slices.reduce((size, slice) => size + slice.length, 0)
}

/** 'damaged' also where it is of another partition: nothing in it is believed then. Errors: DiskError. */
export async function loadProducerSnapshot(
  { clock, disk }: Place,
  directory: string,
  who: { topicId: string; partition: number },
): Promise<ProducerSnapshot | 'damaged' | undefined> {
  const content = await readRegularFile(disk, `${directory}/${PRODUCER_SNAPSHOT}`)
  if (content === undefined) return undefined
  const producers: ProducerImage[] = []
  let about: ReturnType<typeof aboutOf>
  for (const lines of linesOf(checkedBody(content))) {
    if (about !== undefined) await nextTurn(clock)
    // A checksum fits whatever somebody wrote on purpose: that it is what we write is looked at, too.
    about ??= aboutOf(lines.shift(), who)
    const images = lines.map((line) => imageOf(parsed(line)))
    if (about === undefined || !images.every(isKnown)) return 'damaged'
    producers.push(...images)
  }
  return about === undefined ? 'damaged' : { ...about, producers }
}

/** Few producers as a clean stop keeps them, in its own file: a value of JSON. */
export function noteOf({ appendTimeMs, producers }: KnownProducers): unknown {
  return [appendTimeMs, Array.from(producers, rowOf)]
}

/** undefined: this is no note of ours. */
export function fromNote(note: unknown): KnownProducers | undefined {
  if (!Array.isArray(note)) return undefined
  const [appendTimeMs, rows] = note as readonly unknown[]
  if (!isNumber(appendTimeMs) || !Array.isArray(rows)) return undefined
  const producers = rows.map(imageOf)
  return producers.every(isKnown) ? { appendTimeMs, producers } : undefined
}

function* slicesOf(about: object, producers: Iterable<ProducerImage>): Generator<Buffer> {
  let lines = [JSON.stringify(about)]
  for (const producer of producers) {
    if (lines.length === LINES_PER_SLICE) {
      yield Buffer.from(`${lines.join('\n')}\n`)
      lines = []
    }
    lines.push(JSON.stringify(rowOf(producer)))
  }
  yield Buffer.from(`${lines.join('\n')}\n`)
}

function rowOf({ producerId, epoch, isWhole, batches, idleMs }: ProducerImage) {
  const marks = batches.map((mark): Mark => {
    const { firstSequence, lastSequence, firstOffset, lastOffset, appendTimeMs } = mark
    return [firstSequence, lastSequence, firstOffset, lastOffset, appendTimeMs]
  })
  return [producerId, epoch, isWhole ? 1 : 0, marks, Math.round(idleMs)]
}

/** Whole lines, some at a time; none where there is no text. */
function* linesOf(text: Buffer = Buffer.alloc(0)): Generator<string[]> {
  for (let at = 0; at < text.length; ) {
    const lineEnd = text.indexOf(LINE_FEED, at + BYTES_PER_SLICE)
    const end = lineEnd === -1 ? text.length : lineEnd + 1
    yield text.toString('utf8', at, end - 1).split('\n')
    at = end
  }
}

function nextTurn(clock: Place['clock']): Promise<void> {
  return new Promise((resolve) => clock.soon(resolve))
}

/** undefined: this is not what we write of `who`. */
function aboutOf(line: string | undefined, who: { topicId: string; partition: number }) {
  const value = parsed(line)
  if (typeof value !== 'object' || value === null) return undefined
  const { formatVersion, topicId, partition, endOffset, appendTimeMs } = value as Record<
    string,
    unknown
  >
  if (formatVersion !== FORMAT_VERSION) return undefined
  if (topicId !== who.topicId || partition !== who.partition) return undefined
  return isNumber(endOffset) && isNumber(appendTimeMs)
    ? { ...who, endOffset, appendTimeMs }
    : undefined
}

/** undefined: this is no producer. */
function imageOf(row: unknown): ProducerImage | undefined {
  if (!Array.isArray(row)) return undefined
  const [producerId, epoch, isWhole, batches, idleMs] = row as readonly unknown[]
  if (!isNumber(producerId) || !isNumber(epoch) || !isNumber(idleMs)) return undefined
  if (!Array.isArray(batches)) return undefined
  const marks = batches.map(markOf)
  if (!marks.every(isKnown)) return undefined
  return { producerId, epoch, isWhole: isWhole === 1, batches: marks, idleMs }
}

function parsed(line: string | undefined): unknown {
  try {
    return JSON.parse(line ?? '')
  } catch {
    return undefined
  }
}

function markOf(row: unknown): BatchMark | undefined {
  return isMark(row)
    ? {
        firstSequence: row[0],
        lastSequence: row[1],
        firstOffset: row[2],
        lastOffset: row[3],
        appendTimeMs: row[4],
      }
    : undefined
}

function isMark(row: unknown): row is Mark {
  return Array.isArray(row) && row.length === MARK_FIELDS && row.every(isNumber)
}

function isNumber(value: unknown): value is number {
  return Number.isSafeInteger(value)
}

function isKnown<T>(value: T | undefined): value is T {
  return value !== undefined
}
