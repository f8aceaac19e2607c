// One look at a cluster: how far its logs and its groups are. Enters: a session. Leaves: a Look.
import type { LogDirDescription, PartitionLag, TopicDescription } from '@minikafka/client'
import { Interrupted } from '../../failures.ts'
import type { Session } from '../../session.ts'
import { diskFinding, settingOf } from '../health/doctor-broker.ts'
import type { Finding } from '../health/finding.ts'
import type { GroupLook, Look, TopicLook } from './rates.ts'

export async function look(session: Session, internal: boolean): Promise<Look> {
  const { admin, wait, env } = session
  const [topics, dirs, groups] = await session.ask(
    Promise.all([
      admin.listTopics({ internal }, wait),
      admin.logDirs(undefined, wait),
      admin.listGroups(wait),
    ]),
  )
  const atMs = env.clock.monotonicMs()
  const disks = await session.ask(Promise.all(dirs.map((dir) => diskOf(session, dir))))
  const looks = groups.map(async ({ group, state }) => {
    // It may be gone by now.
    const lags = await admin.lag(group, wait).catch(gone)
    return groupLook(group, state, lags)
  })
  const all = await session.ask(Promise.all(looks))
  return { atMs, topics: topicLooks(topics, dirs), groups: all, disks }
}

async function diskOf({ admin, wait }: Session, dir: LogDirDescription): Promise<Finding> {
  return diskFinding(dir, settingOf(await admin.brokerConfig(dir.brokerId, wait).catch(gone)))
}

function gone(error: unknown): [] {
  if (error instanceof Interrupted) throw error
  return []
}

function groupLook(group: string, state: string, lags: readonly PartitionLag[]): GroupLook {
  const committed = new Map<string, number>()
  for (const { topic, partition, committed: offset } of lags)
    if (offset !== undefined) committed.set(`${topic}-${partition}`, offset)
  const times = lags.flatMap(({ lagMs }) => (lagMs === undefined ? [] : [lagMs]))
  return {
    ...{ group, state, committed },
    lag: lags.reduce((sum, { lag }) => sum + lag, 0),
    lagMs: times.length === 0 ? undefined : Math.max(...times),
  }
}

/** Of each partition what its leader says. */
function topicLooks(
  topics: readonly TopicDescription[],
  dirs: readonly LogDirDescription[],
): TopicLook[] {
  const logs = new Map<string, { start: number; end: number; sizeBytes: number }>()
  for (const { brokerId, topics: held } of dirs)
    for (const { name, partitions } of held)
      for (const { partition, logStartOffset, logEndOffset, sizeBytes } of partitions)
        logs.set(`${brokerId}/${name}-${partition}`, {
          ...{ start: logStartOffset, end: logEndOffset, sizeBytes },
        })
  return topics.map(({ name, partitions }) => {
    const own = partitions.flatMap(({ partition, leaderId }) => {
      const log = logs.get(`${leaderId}/${name}-${partition}`)
      return log === undefined || log.end < 0 ? [] : [log]
    })
    return {
      ...{ topic: name, partitions: partitions.length },
      endOffsets: own.reduce((sum, { end }) => sum + end, 0),
      records: own.reduce((sum, { start, end }) => sum + end - start, 0),
      sizeBytes: own.reduce((sum, log) => sum + log.sizeBytes, 0),
    }
  })
}
