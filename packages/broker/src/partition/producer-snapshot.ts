// `producer-snapshot`: what a partition knew of its producers below an offset (REPLICATION 2.10). Written before records
// leave the front of the log, for their headers go with them; at a roll that is worth it and at a clean stop, so that
// little is replayed.
// Enters: producers. Leaves: the same after a restart; or nothing, where the file is missing or damaged.
//
//   {"topicId", "partition", "endOffset", "appendTimeMs", "producers": [[id, epoch, isWhole, [batch ...], idleMs] ...]}
//   batch: [firstSequence, lastSequence, firstOffset, lastOffset, appendTimeMs]
//   crc32c 1a2b3c4d
import type { Disk } from '@minikafka/platform'
import { checkedJson, PRODUCER_SNAPSHOT, readRegularFile, withChecksum } from '../log/index.ts'
import type { BatchMark, ProducerImage } from './producer-states.ts'

type Mark = readonly [number, number, number, number, number]
const MARK_FIELDS = 5

export type ProducerSnapshot = {
  readonly topicId: string
  readonly partition: number
  /** It covers every batch below. */
  readonly endOffset: number
  /** The largest append time that was given; -1: none. */
  readonly appendTimeMs: number
  readonly producers: readonly ProducerImage[]
}

/** Returns its size in bytes. Errors: DiskError. Holds: durable when it resolves. */
export async function saveProducerSnapshot(
  disk: Disk,
  directory: string,
  { producers, ...about }: ProducerSnapshot,
): Promise<number> {
  const rows = producers.map(({ producerId, epoch, isWhole, batches, idleMs }) => [
    producerId,
    epoch,
    isWhole ? 1 : 0,
    batches.map((mark) => [
      mark.firstSequence,
      mark.lastSequence,
      mark.firstOffset,
      mark.lastOffset,
      mark.appendTimeMs,
    ]),
    Math.round(idleMs),
  ])
  const content = withChecksum(JSON.stringify({ ...about, producers: rows }))
  await disk.replaceFile(`${directory}/${PRODUCER_SNAPSHOT}`, content)
  return content.length
}

/** 'damaged' also where it is of another partition: nothing in it is believed then. Errors: DiskError. */
export async function loadProducerSnapshot(
  disk: Disk,
  directory: string,
  { topicId, partition }: { topicId: string; partition: number },
): Promise<ProducerSnapshot | 'damaged' | undefined> {
  const content = await readRegularFile(disk, `${directory}/${PRODUCER_SNAPSHOT}`)
  if (content === undefined) return undefined
  const value = checkedJson(content)
  if (value?.topicId !== topicId || value.partition !== partition) return 'damaged'
  const { endOffset, appendTimeMs } = value
  const producers = Array.isArray(value.producers) ? value.producers.map(imageOf) : [undefined]
  // A checksum fits whatever somebody wrote on purpose: that it is what we write is looked at, too.
  const isOurs = isNumber(endOffset) && isNumber(appendTimeMs) && producers.every(isKnown)
  return isOurs ? { topicId, partition, endOffset, appendTimeMs, producers } : 'damaged'
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
