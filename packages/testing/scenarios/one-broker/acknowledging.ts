// The oracles of an acknowledgement, at the moment it is heard: the record is committed, and with group commit it is truly
// on the disk. White box: it looks at the partition and below the page cache of the simulated disk.
// Enters: an acknowledged record. Leaves: nothing, or the promise that was broken.
import { batchLastOffsetAt, batchSizeAt } from '@minikafka/protocol'
import type { PartitionFacts } from 'minikafka-broker'
import { BROKER, DATA_DIRECTORY } from '../stage/daemon.ts'
import { Violation } from '../stage/violation.ts'
import { nameOf, type Sent } from './ledger.ts'
import type { Stage } from './stage.ts'

/** One acknowledgement in so many is followed down to the disk: that costs. */
const DISK_EVERY = 8

/** A topic that was ever deleted or may have lost records is left out: which one this was is not known. */
export function checkAcknowledged({ daemon, ledger, world, plan }: Stage, sent: Sent): void {
  const life = ledger.life(sent.topic)
  if (life.deletedMs > Number.NEGATIVE_INFINITY || life.cuts.length > 0) return
  const facts = daemon.broker
    ?.partitions()
    .find((one) => one.topic === sent.topic && one.partition === sent.partition)
  if (facts === undefined || facts.offline !== undefined) return
  if (sent.offset >= facts.highWatermark)
    throw new Violation(
      'ack-before-commit',
      `${sent.id} was acknowledged at ${nameOf(sent)}, and the high watermark is ${facts.highWatermark}`,
    )
  // It may be under way to another file: what stays of it is looked at in the end.
  if (sent.offset < facts.compactedBelow) return
  if (life.plan.flush !== 'group' || ledger.ackedCount % DISK_EVERY !== 0 || plan.rots) return
  const end = durableEnd(world.disk(BROKER), facts, sent.offset)
  if (end !== undefined && sent.offset >= end)
    throw new Violation(
      'not-durable',
      `${sent.id} was acknowledged at ${nameOf(sent)}, and a power cut would leave offsets below ${end}`,
    )
}

type Disk = ReturnType<Stage['world']['disk']>

/** Where the whole batches end that are durable in the segment of `offset`; undefined: it was deleted meanwhile. */
function durableEnd(
  disk: Disk,
  { topic, partition, logStartOffset }: PartitionFacts,
  offset: number,
): number | undefined {
  if (offset < logStartOffset) return undefined
  const directory = `${DATA_DIRECTORY}/${topic}-${partition}`
  const bases = disk
    .files(directory)
    .flatMap(({ path }) => /\/(\d{20})\.log$/.exec(path)?.[1] ?? [])
    .filter((base) => Number(base) <= offset)
  const base = bases.sort().at(-1)
  if (base === undefined) return undefined
  const bytes = disk.durable(`${directory}/${base}.log`)
  let end = Number(base)
  for (let at = 0; bytes !== undefined && at + 61 <= bytes.length; at += batchSizeAt(bytes, at)) {
    if (at + batchSizeAt(bytes, at) > bytes.length) break
    end = batchLastOffsetAt(bytes, at) + 1
  }
  return end
}
