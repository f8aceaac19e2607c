// DescribeLogDirs: what lies in the data directory of this broker.
//
// Versions   0.
import type { RequestOf, ResponseOf } from '@minikafka/protocol'
import { type Apis, errorCode } from '@minikafka/protocol'
import type { Partition } from '../partition/index.ts'
import type { Context } from './context.ts'

type Request = RequestOf<Apis['describeLogDirs']>
type Response = ResponseOf<Apis['describeLogDirs']>
type Topic = Response['results'][number]['topics'][number]

export async function describeLogDirs(request: Request, { rooms }: Context): Promise<Response> {
  const { directory, partitions } = rooms
  const wanted = request.names && new Set(request.names)
  const { offline } = directory
  const [totalBytes, usableBytes] = offline
    ? [-1, -1]
    : await Promise.all([directory.totalBytes(), directory.freeBytes()])
  return {
    results: [
      {
        errorCode: offline ? errorCode('KAFKA_STORAGE_ERROR') : 0,
        errorMessage: offline ? offline.message : null,
        logDir: directory.path,
        totalBytes,
        usableBytes,
        topics: topicsOf(
          [...partitions.all()].filter(({ topic }) => wanted === null || wanted.has(topic)),
        ),
      },
    ],
  }
}

function topicsOf(partitions: readonly Partition[]): Topic[] {
  const byId = new Map<
    string,
    { name: string; topicId: string; partitions: Topic['partitions'][number][] }
  >()
  for (const { topic, topicId, number, log } of partitions) {
    const entry = byId.get(topicId) ?? { name: topic, topicId, partitions: [] }
    byId.set(topicId, entry)
    entry.partitions.push({
      partition: number,
      sizeBytes: log?.sizeBytes ?? -1,
      segmentCount: log?.segmentCount ?? -1,
      logStartOffset: log?.logStartOffset ?? -1,
      logEndOffset: log?.logEndOffset ?? -1,
    })
  }
  return [...byId.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}
