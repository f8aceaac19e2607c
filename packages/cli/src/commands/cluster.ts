// minikafka cluster info.
import type { Session } from '../session.ts'
import { printFacts, printRows } from '../table.ts'

export async function clusterInfo(session: Session): Promise<void> {
  const cluster = await session.admin.cluster(session.wait)
  await printFacts(
    session,
    {
      cluster: cluster.clusterId,
      controller: cluster.controllerId,
      topics: cluster.topicCount,
      partitions: cluster.partitionCount,
    },
    cluster,
  )
  if (session.output === 'json' || session.output === 'jsonl') return
  await session.print('\n')
  await printRows(
    session,
    cluster.brokers,
    [
      { title: 'BROKER', of: ({ nodeId }) => String(nodeId), right: true },
      { title: 'ADDRESS', of: ({ host, port }) => `${host}:${port}` },
      { title: 'STATUS', of: ({ status }) => status },
      { title: 'VERSION', of: ({ version }) => version },
      { title: 'RACK', of: ({ rack }) => rack ?? '-', wide: true },
      { title: 'EPOCH', of: ({ brokerEpoch }) => String(brokerEpoch), right: true, wide: true },
    ],
    (broker) => broker,
  )
}
