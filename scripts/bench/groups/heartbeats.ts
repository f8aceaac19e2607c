// What heartbeats cost the broker: 200 groups of 5 members each, who read nothing; beside it the same broker without them.
import { Client, type Consumer } from '@minikafka/client'
import { type BrokerChild, startBroker } from '../../broker-child.ts'
import { pause } from '../good-client.ts'

const GROUPS = 200
const MEMBERS = 5
/** The default of group.consumer.heartbeat.interval.ms. */
const INTERVAL_MS = 3_000
const AT_ONCE = 50

export async function heartbeatShare(folder: string, ms: number): Promise<void> {
  // Each member has a connection for its heartbeats, and one for the fetch that finds nothing.
  const settings = { 'max.connections': '5000', 'max.connections.per.ip': '5000' }
  await using broker = await startBroker(folder, { settings })
  await using client = new Client({ brokers: `127.0.0.1:${broker.port}`, clientId: 'bench' })
  await client.admin().createTopic('beats', { partitions: MEMBERS })
  const [share, , idleMiB] = await shareOf(broker, 1_000)
  const beganMs = performance.now()
  const members = await join(client)
  const joinedSeconds = (performance.now() - beganMs) / 1000
  // The last rebalances come to their end, and every timer finds its rhythm.
  await pause(INTERVAL_MS)
  const [with1000, cpuMs, rssMiB] = await shareOf(broker, Math.max(ms, 2 * INTERVAL_MS))
  const beats = (GROUPS * MEMBERS * Math.max(ms, 2 * INTERVAL_MS)) / INTERVAL_MS
  console.log(
    `heartbeats ${GROUPS} groups × ${MEMBERS} members, one heartbeat each ${INTERVAL_MS / 1000} s: ` +
      `${percent(with1000)} of a core (${((cpuMs / beats) * 1000).toFixed(0)} µs a heartbeat), the broker without them ${percent(share)}; ` +
      `${(((rssMiB - idleMiB) * 1024) / (GROUPS * MEMBERS)).toFixed(0)} KiB of RSS a member; all had joined after ${joinedSeconds.toFixed(1)} s`,
  )
  for (let at = 0; at < members.length; at += AT_ONCE)
    await Promise.all(members.slice(at, at + AT_ONCE).map((member) => member.close()))
}

/** Each is given its partition, and fetches nothing: what is measured are heartbeats alone. */
async function join(client: Client): Promise<Consumer<string>[]> {
  const members: Consumer<string>[] = []
  for (let group = 0; group < GROUPS; group++) {
    const some = Array.from({ length: MEMBERS }, () => {
      const member = client.consumer({
        group: `group-${group}`,
        topics: ['beats'],
        start: 'earliest',
      })
      member.on('assigned', (partitions) => member.pause(partitions))
      return member
    })
    for (const member of some) await member.poll({ maxWaitMs: 0 })
    members.push(...some)
  }
  while (!members.every((member) => member.assignment().length === 1)) await pause(100)
  return members
}

/** Of one core; the milliseconds; resident size. */
async function shareOf(broker: BrokerChild, ms: number): Promise<[number, number, number]> {
  const [cpuMs, beganMs] = [broker.cpuMs(), performance.now()]
  await pause(ms)
  const usedMs = broker.cpuMs() - cpuMs
  return [usedMs / (performance.now() - beganMs), usedMs, broker.rssMiB()]
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}
