// How a cluster is: what its controller says, and each broker of its own directory.
// Enters: what brokers answer. Leaves: a check each, with the names of what is ill.
import type { Deadline } from '../core/index.ts'
import { brokerConfig, describeCluster, logDirs } from './cluster.ts'
import type { Requests } from './requests.ts'
import { listTopics } from './topics.ts'
import type {
  BrokerDescription,
  ClusterDescription,
  ClusterHealth,
  HealthCheck,
  LogDirDescription,
  TopicDescription,
} from './types.ts'

/** So many names of what is ill are said, then how many more there are. */
const NAMES_MAX = 3
const MIB = 1024 ** 2
const GIB = 1024 ** 3
const RESERVE = 'disk.reserve.bytes'

/** Errors: where no broker answers. */
export async function clusterHealth(
  requests: Requests,
  deadline: Deadline,
): Promise<ClusterHealth> {
  const cluster = await describeCluster(requests, deadline)
  const topics = await listTopics(requests, true, deadline)
  // A broker that the controller gave up is not waited for.
  const active = cluster.brokers.filter(({ status }) => status === 'active')
  const homes = await Promise.all(active.map((broker) => homeOf(requests, broker, deadline)))
  const checks = [
    checkBrokers(cluster, homes),
    checkController(cluster),
    checkLeaders(topics),
    checkInSync(topics),
    checkLogs(homes),
    checkSpace(homes),
  ]
  return { healthy: checks.every(({ state }) => state !== 'ill'), checks }
}

/** What a broker says of itself; `silence`: why it says nothing. */
type Home = {
  readonly nodeId: number
  readonly silence?: string
  readonly directories: readonly LogDirDescription[]
  /** As it is set; -1: the default. */
  readonly reserve: number
}

async function homeOf(
  requests: Requests,
  { nodeId }: BrokerDescription,
  deadline: Deadline,
): Promise<Home> {
  try {
    const directories = await logDirs(requests, nodeId, deadline)
    const settings = await brokerConfig(requests, nodeId, deadline)
    const reserve = settings.find(({ name }) => name === RESERVE)?.value ?? '-1'
    return { nodeId, directories, reserve: Number(reserve) }
  } catch (error) {
    return { nodeId, silence: (error as Error).message, directories: [], reserve: -1 }
  }
}

function checkBrokers({ brokers }: ClusterDescription, homes: readonly Home[]): HealthCheck {
  const away = brokers
    .filter(({ status }) => status !== 'active')
    .map(({ nodeId, status }) => `broker ${nodeId} is ${status}`)
  const silent = homes
    .filter(({ silence }) => silence !== undefined)
    .map(({ nodeId, silence }) => `broker ${nodeId} does not answer (${silence})`)
  return check('brokers', 'ill', [...away, ...silent], `all ${brokers.length} active`)
}

function checkController({ controllerId }: ClusterDescription): HealthCheck {
  const none = controllerId < 0 ? ['there is none: nothing can be created or moved'] : []
  return check('controller', 'ill', none, `broker ${controllerId}`)
}

function checkLeaders(topics: readonly TopicDescription[]): HealthCheck {
  const without = partitionsWhere(topics, ({ leaderId }) => leaderId < 0)
  const ill = without.map((name) => `${name} has no leader`)
  return check('leaders', 'ill', ill, `all ${countOf(topics)} partitions have one`)
}

function checkInSync(topics: readonly TopicDescription[]): HealthCheck {
  const behind = partitionsWhere(topics, ({ isr, replicas }) => isr.length < replicas.length)
  const ill = behind.map((name) => `${name} lacks a replica`)
  return check('in sync', 'ill', ill, 'all replicas')
}

function checkLogs(homes: readonly Home[]): HealthCheck {
  const ill = homes.flatMap(({ nodeId, directories }) =>
    directories.flatMap(({ path, error, topics }) => {
      if (error !== undefined) return [`broker ${nodeId}, ${path}: ${error}`]
      return topics.flatMap(({ name, partitions }) =>
        partitions
          .filter(({ logEndOffset }) => logEndOffset < 0)
          .map(({ partition }) => `${name}-${partition} on broker ${nodeId} is out of service`),
      )
    }),
  )
  return check('logs', 'ill', ill, 'all in service')
}

/** As the broker sees it: below its reserve it refuses to produce, below twice that it warns. */
function checkSpace(homes: readonly Home[]): HealthCheck {
  const all = homes.flatMap(({ nodeId, directories, reserve }) =>
    directories
      .filter(({ totalBytes }) => totalBytes >= 0)
      .map(({ totalBytes, usableBytes }) => {
        const least = reserve < 0 ? Math.min(totalBytes * 0.05, GIB) : reserve
        return { about: `broker ${nodeId}: ${room(usableBytes)} free`, times: usableBytes / least }
      }),
  )
  const full = all.filter(({ times }) => times < 1)
  const ill = full.map(({ about }) => `${about}, below ${RESERVE}: produce is refused`)
  if (ill.length > 0) return check('disk space', 'ill', ill, '')
  const soon = all.filter(({ times }) => times < 2).map(({ about }) => `${about}, nearly full`)
  return check('disk space', 'warning', soon, all.map(({ about }) => about).join(', '))
}

/** Of a disk that is nearly full, MiB are told. */
function room(bytes: number): string {
  return bytes < GIB ? `${Math.floor(bytes / MIB)} MiB` : `${(bytes / GIB).toFixed(1)} GiB`
}

function check(
  name: HealthCheck['name'],
  state: 'warning' | 'ill',
  found: readonly string[],
  fine: string,
): HealthCheck {
  if (found.length === 0) return { name, state: 'ok', about: fine }
  const more = found.length - NAMES_MAX
  const named = found.slice(0, NAMES_MAX).join('; ')
  return { name, state, about: more > 0 ? `${named}; and ${more} more` : named }
}

function partitionsWhere(
  topics: readonly TopicDescription[],
  isIll: (partition: TopicDescription['partitions'][number]) => boolean,
): string[] {
  return topics.flatMap(({ name, partitions }) =>
    partitions.filter(isIll).map(({ partition }) => `${name}-${partition}`),
  )
}

function countOf(topics: readonly TopicDescription[]): number {
  return topics.reduce((sum, { partitions }) => sum + partitions.length, 0)
}
