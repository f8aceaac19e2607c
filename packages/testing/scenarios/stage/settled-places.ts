// Bytes of logs that lie below the floor which a power cut at this moment would leave (REPLICATION 2.12.1): from there on,
// until recovery, rot and a torn tail look alike, and nobody promises anything.
import { BATCH_HEADER_SIZE, batchLastOffsetAt, batchSizeAt } from '@minikafka/protocol'
import type { PartitionFacts } from 'minikafka-broker'
import type { DiskFaults } from '../../src/world/index.ts'
import { DATA_DIRECTORY } from './daemon.ts'

/** The first `size` bytes of a file. */
export type Place = { readonly path: string; readonly size: number }

export function settledPlaces(disk: DiskFaults, partitions: readonly PartitionFacts[]): Place[] {
  const floors = recoveryPoints(disk.durable(`${DATA_DIRECTORY}/recovery-point`))
  return partitions.flatMap(({ topic, topicId, partition }) => {
    const floor = floors.get(`${topicId} ${partition}`) ?? 0
    const files = disk.files(`${DATA_DIRECTORY}/${topic}-${partition}`)
    const segments = files.filter(({ path }) => path.endsWith('.log'))
    const places = segments.map(({ path }) => ({
      path,
      size: sizeBelow(disk.durable(path), floor),
    }))
    return places.filter(({ size }) => size > 0)
  })
}

/** Where the batches end that lie below `offset`. */
function sizeBelow(bytes: Buffer | undefined, offset: number): number {
  let at = 0
  while (bytes !== undefined && at + BATCH_HEADER_SIZE <= bytes.length) {
    const end = at + batchSizeAt(bytes, at)
    // What has rotted already may say anything.
    if (end <= at || end > bytes.length || batchLastOffsetAt(bytes, at) >= offset) break
    at = end
  }
  return at
}

/** `<topic id> <partition> <offset>`, a line each. */
function recoveryPoints(content: Buffer | undefined): Map<string, number> {
  const lines = (content?.toString() ?? '').split('\n')
  return new Map(
    lines.map((line) => {
      const [topicId, partition, offset] = line.split(' ')
      return [`${topicId} ${partition}`, Number(offset)]
    }),
  )
}
