// `producer-snapshot`: what a partition knew of its producers below an offset (REPLICATION 2.10). Written before records
// leave the front of the log, for their headers go with them; at roll and at a clean stop, so that little is replayed.
// Enters: producers. Leaves: the same after a restart; or nothing, where the file is missing or damaged.
//
//   {"topicId", "partition", "endOffset", "appendTimeMs", "producers": [[id, epoch, isWhole, [batch ...], idleMs] ...]}
//   batch: [firstSequence, lastSequence, firstOffset, lastOffset, appendTimeMs]
//   crc32c 1a2b3c4d
import type { Disk } from '@minikafka/platform'
import { checkedJson, PRODUCER_SNAPSHOT, withChecksum } from '../log/index.ts'
import type { BatchMark, ProducerImage } from './producer-states.ts'

export type ProducerSnapshot = {
  readonly topicId: string
  readonly partition: number
  /** It covers every batch below. */
  readonly endOffset: number
  /** The largest append time that was given; -1: none. */
  readonly appendTimeMs: number
  readonly producers: readonly ProducerImage[]
}

/** Errors: DiskError. Holds: durable when it resolves. */
export async function saveProducerSnapshot(
  disk: Disk,
  directory: string,
  { producers, ...about }: ProducerSnapshot,
): Promise<void> {
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
  const text = JSON.stringify({ ...about, producers: rows })
  await disk.replaceFile(`${directory}/${PRODUCER_SNAPSHOT}`, withChecksum(text))
}

/** 'damaged' also where it is of another partition: nothing in it is believed then. Errors: DiskError. */
export async function loadProducerSnapshot(
  disk: Disk,
  directory: string,
  { topicId, partition }: { topicId: string; partition: number },
): Promise<ProducerSnapshot | 'damaged' | undefined> {
  const content = await disk.readFile(`${directory}/${PRODUCER_SNAPSHOT}`)
  if (content === undefined) return undefined
  const value = checkedJson(content)
  if (value?.topicId !== topicId || value.partition !== partition) return 'damaged'
  // The checksum fits and the partition is ours, so this is what `saveProducerSnapshot` wrote.
  const { endOffset, appendTimeMs, producers } = value as {
    endOffset: number
    appendTimeMs: number
    producers: Row[]
  }
  return { topicId, partition, endOffset, appendTimeMs, producers: producers.map(imageOf) }
}

type Row = [number, number, number, [number, number, number, number, number][], number]

function imageOf([producerId, epoch, isWhole, batches, idleMs]: Row): ProducerImage {
  const marks = batches.map(
    ([firstSequence, lastSequence, firstOffset, lastOffset, appendTimeMs]): BatchMark => ({
      firstSequence,
      lastSequence,
      firstOffset,
      lastOffset,
      appendTimeMs,
    }),
  )
  return { producerId, epoch, isWhole: isWhole === 1, batches: marks, idleMs }
}
