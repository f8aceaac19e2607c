// minikafka cluster brokers: what each leads and keeps, and the room on its disk.
import type { BrokerDescription, LogDirDescription } from '@minikafka/client'
import { reachBroker } from '../reach.ts'
import type { Session } from '../session.ts'
import { bytesText, type Column, printRows } from '../table.ts'
import { addressText } from './cluster.ts'

type Row = BrokerDescription & {
  readonly leaders: number
  readonly replicas: number
  /** -1: it does not say. */
  readonly sizeBytes: number
  readonly usableBytes: number
  readonly directories: readonly string[]
}

export async function clusterBrokers(session: Session): Promise<void> {
  await reachBroker(session)
  const { admin, wait } = session
  const { brokers } = await session.ask(admin.cluster(wait))
  const topics = await session.ask(admin.listTopics({ internal: true }, wait))
  const partitions = topics.flatMap((topic) => topic.partitions)
  const rows = brokers.map(async (broker): Promise<Row> => {
    const { nodeId } = broker
    const directories = await directoriesOf(session, broker)
    const sizes = directories.flatMap((directory) =>
      directory.topics.flatMap((topic) => topic.partitions.map(({ sizeBytes }) => sizeBytes)),
    )
    return {
      ...broker,
      leaders: partitions.filter(({ leaderId }) => leaderId === nodeId).length,
      replicas: partitions.filter(({ replicas }) => replicas.includes(nodeId)).length,
      sizeBytes: directories.length === 0 ? -1 : sum(sizes),
      usableBytes:
        directories.length === 0 ? -1 : sum(directories.map(({ usableBytes }) => usableBytes)),
      directories: directories.map(({ path }) => path),
    }
  })
  await printRows(session, await session.ask(Promise.all(rows)), COLUMNS, (row) => row)
}

/** None where the broker does not answer: the others are shown all the same. */
async function directoriesOf(
  { admin, wait }: Session,
  { nodeId, status }: BrokerDescription,
): Promise<readonly LogDirDescription[]> {
  return status === 'active' ? await admin.logDirs(nodeId, wait).catch(() => []) : []
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + Math.max(0, one), 0)
}

const COLUMNS: readonly Column<Row>[] = [
  { title: 'BROKER', of: ({ nodeId }) => String(nodeId), right: true },
  { title: 'ADDRESS', of: addressText, fit: 'cut' },
  { title: 'STATUS', of: ({ status }) => status },
  { title: 'LEADS', of: ({ leaders }) => String(leaders), right: true },
  { title: 'KEEPS', of: ({ replicas }) => String(replicas), right: true },
  { title: 'SIZE', of: ({ sizeBytes }) => bytesText(sizeBytes), right: true },
  { title: 'FREE', of: ({ usableBytes }) => bytesText(usableBytes), right: true },
  { title: 'VERSION', of: ({ version }) => version, wide: true },
  { title: 'RACK', of: ({ rack }) => rack ?? '-', wide: true, fit: 'cut' },
  { title: 'DIRECTORY', of: ({ directories }) => directories.join(', '), wide: true, fit: 'cut' },
]
