// Segments that lie below the floor which a power cut at this moment would leave (REPLICATION 2.12.1): from there on, until
// recovery, rot and a torn tail look alike, and nobody promises anything.
import type { PartitionFacts } from 'minikafka-broker'
import type { DiskFaults, DiskFile } from '../../src/world/index.ts'
import { DATA_DIRECTORY } from './daemon.ts'

export function sealedSegments(
  disk: DiskFaults,
  partitions: readonly PartitionFacts[],
): DiskFile[] {
  const floors = recoveryPoints(disk.durable(`${DATA_DIRECTORY}/recovery-point`))
  return partitions.flatMap(({ topic, topicId, partition }) => {
    const floor = floors.get(`${topicId} ${partition}`) ?? 0
    const segments = disk
      .files(`${DATA_DIRECTORY}/${topic}-${partition}`)
      .filter(({ path }) => path.endsWith('.log'))
    return segments.filter((segment, index) => {
      const next = segments[index + 1]
      return segment.settled && segment.size > 0 && next !== undefined && baseOf(next) <= floor
    })
  })
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

function baseOf({ path }: DiskFile): number {
  return Number(/(\d{20})\.log$/.exec(path)?.[1])
}
