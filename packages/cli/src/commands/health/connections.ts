// The brokers as this machine reaches them: at the address that each of them advertises. Leaves: findings.
import type { BrokerDescription, ClusterDescription } from '@minikafka/client'
import { textOf } from '../../endings.ts'
import { drawProgress } from '../../progress.ts'
import type { Session } from '../../session.ts'
import type { Finding } from './finding.ts'

/** An address that does not answer is given up after this. */
const DIAL_MS_MAX = 5_000

export async function dialAll(session: Session, cluster: ClusterDescription): Promise<Finding[]> {
  const { brokers } = cluster
  let settled = 0
  const dialling = brokers.map((broker) => dial(session, broker).finally(() => settled++))
  const stopDrawing = drawProgress(session, {
    ...{ what: 'dialling', unit: 'answers' },
    ...{ total: brokers.length, done: () => settled },
  })
  return await session.ask(Promise.all(dialling)).finally(stopDrawing)
}

async function dial(session: Session, broker: BrokerDescription): Promise<Finding> {
  const { nodeId, status } = broker
  const address = addressOf(broker)
  const labels = { broker: String(nodeId), address }
  const about = 'address'
  try {
    const client = session.another({ brokers: address, retry: { maxMs: 100 } })
    const timeoutMs = Math.max(1, Math.min(DIAL_MS_MAX, session.timeoutMs))
    await client.ping({ timeoutMs })
    // The first one connects.
    const { brokerId, roundTripMs } = await client.ping({ timeoutMs })
    if (brokerId !== nodeId) return strange(labels, nodeId, brokerId)
    const figures = { round_trip_seconds: roundTripMs / 1000 }
    const what = `broker ${nodeId} answers at ${address}, in ${roundTripMs.toFixed(1)} ms`
    if (status === 'active') return { about, state: 'ok', what, figures, labels }
    const todo = 'look at its log: it may be starting, stopping, or cut off from the metadata'
    return { about, state: 'warning', what: `${what}, but is ${status}`, todo, figures, labels }
  } catch (error) {
    return {
      ...{ about, state: 'problem', labels },
      what: `broker ${nodeId} advertises ${address}, which does not answer here: ${textOf(error)}`,
      todo: `is it running? does the name resolve here, does a firewall stand between? if clients here must use another address, set it on the broker: advertised=default=HOST:PORT`,
    }
  }
}

function strange(labels: Record<string, string>, nodeId: number, other: number): Finding {
  return {
    ...{ about: 'address', state: 'problem', labels },
    what: `broker ${nodeId} advertises ${labels.address}, but broker ${other} answers there`,
    todo: 'give each broker an address of its own (setting advertised)',
  }
}

export function addressOf({ host, port }: { host: string; port: number }): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
