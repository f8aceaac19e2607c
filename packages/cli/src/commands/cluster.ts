// minikafka cluster info.
import type { BrokerDescription } from '@minikafka/client'
import { reachBroker } from '../reach.ts'
import type { Session } from '../session.ts'
import { printFacts, printRows } from '../table.ts'

export async function clusterInfo(session: Session): Promise<void> {
  await reachBroker(session)
  const cluster = await session.ask(session.admin.cluster(session.wait))
  await printFacts(
    session,
    {
      cluster: cluster.clusterId,
      controller: cluster.controllerId < 0 ? 'none' : cluster.controllerId,
      topics: cluster.topicCount,
      partitions: cluster.partitionCount,
    },
    cluster,
  )
  if (session.wantsJson) return
  await session.print('\n')
  await printRows(
    session,
    cluster.brokers,
    [
      { title: 'BROKER', of: ({ nodeId }) => String(nodeId), right: true },
      { title: 'ADDRESS', of: addressText, fit: 'cut' },
      { title: 'STATUS', of: ({ status }) => status },
      { title: 'VERSION', of: ({ version }) => version },
      { title: 'RACK', of: ({ rack }) => rack ?? '-', wide: true, fit: 'cut' },
      { title: 'EPOCH', of: ({ brokerEpoch }) => String(brokerEpoch), right: true, wide: true },
    ],
    (broker) => broker,
  )
}

export function addressText({ host, port }: BrokerDescription): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
