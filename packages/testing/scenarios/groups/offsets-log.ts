// The whole of __consumer_offsets as it stands on the disk of a broker that has stopped, batch by batch: everything that
// ever happened to the groups, in the order in which it happened. Enters: a disk. Leaves: decisions.
import type { Compress } from '@minikafka/platform'
import { batchesIn, decodeBatch, readBatchHeader } from '@minikafka/protocol'
import { decodeGroupRecord, type GroupRecord } from '../../../coordinator/src/index.ts'
import type { DiskFaults } from '../../src/world/index.ts'
import { DATA_DIRECTORY } from '../stage/daemon.ts'

export const OFFSETS_TOPIC = '__consumer_offsets'

/** The records of one batch were decided at once. */
export type Decision = {
  readonly partition: number
  readonly offset: number
  /** Offsets that it had when it was written. */
  readonly nextOffset: number
  readonly records: readonly GroupRecord[]
}

export function decisionsOf(disk: DiskFaults, partition: number, compress: Compress): Decision[] {
  const directory = `${DATA_DIRECTORY}/${OFFSETS_TOPIC}-${partition}`
  const paths = disk.files(directory).map(({ path }) => path)
  const segments = paths.filter((path) => /\/\d{20}\.log$/.test(path)).sort()
  return segments
    .flatMap((path) => batchesIn(disk.read(path) ?? Buffer.alloc(0)))
    .map((batch) => decisionOf(partition, batch, compress))
}

function decisionOf(partition: number, batch: Uint8Array, compress: Compress): Decision {
  const { baseOffset, lastOffset } = readBatchHeader(batch)
  const decoded = decodeBatch(batch, compress)
  const records = decoded.flatMap(({ key, value }) => {
    const record = key === null ? undefined : decodeGroupRecord(key, value)
    return record === undefined ? [] : [record]
  })
  return { partition, offset: baseOffset, nextOffset: lastOffset + 1, records }
}

/** Nothing was compacted away: every offset is there. */
export function isWhole(decisions: readonly Decision[]): boolean {
  let next = 0
  return decisions.every(({ offset, nextOffset, records }) => {
    const follows = offset === next && records.length === nextOffset - offset
    next = nextOffset
    return follows
  })
}
