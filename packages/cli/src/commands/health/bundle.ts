// minikafka debug bundle: what brokers tell of themselves, in one JSON file. No record is read, no secret is in it.
import type { ConfigEntry } from '@minikafka/client'
import { textOf } from '../../endings.ts'
import { Interrupted } from '../../failures.ts'
import { reachBroker } from '../../reach.ts'
import type { Session } from '../../session.ts'
import { VERSION } from '../../version.ts'

/** Whatever a setting of that kind says stays on its broker. */
const SECRET = /password|secret|token|credential|passphrase/i
/** So many are described; the bundle says where there are more. */
const TOPICS_MAX = 2_000
const GROUPS_MAX = 2_000
/** Asked for at once. */
const AT_ONCE = 20
const STDOUT = '-'

export async function debugBundle(session: Session, options: { to?: string }): Promise<void> {
  await reachBroker(session)
  const errors: string[] = []
  const bundle = await collect(session, errors)
  const text = `${JSON.stringify({ ...bundle, errors }, null, 2)}\n`
  if (options.to === STDOUT) return session.print(text)
  const file = options.to ?? nameOf(session, bundle.cluster.clusterId)
  await session.env.disk.replaceFile(file, Buffer.from(text))
  await session.print(session.wantsJson ? `${JSON.stringify({ file })}\n` : `${file}\n`)
  const count = errors.length === 0 ? '' : `; not answered: ${errors.length}`
  await session.say(`look at it before you send it: names and addresses are in it${count}`)
}

function nameOf({ env }: Session, clusterId: string): string {
  const time = new Date(env.clock.wallMs()).toISOString().replace(/[-:]|\.\d+/g, '')
  return `minikafka-debug-${clusterId}-${time}.json`
}

async function collect(session: Session, errors: string[]) {
  const { admin, wait, env } = session
  const cluster = await session.ask(admin.cluster(wait))
  const tried = async <T>(what: string, asking: Promise<T>): Promise<T | null> => {
    try {
      return await session.ask(asking)
    } catch (error) {
      if (error instanceof Interrupted) throw error
      errors.push(`${what}: ${textOf(error)}`)
      return null
    }
  }
  const brokers = []
  for (const { nodeId } of cluster.brokers) {
    const process = await tried(`broker ${nodeId}`, admin.describeBroker(nodeId, wait))
    const config = await tried(`settings of ${nodeId}`, admin.brokerConfig(nodeId, wait))
    const logDirs = await tried(`directories of ${nodeId}`, admin.logDirs(nodeId, wait))
    brokers.push({ nodeId, process, config: config?.map(withoutSecret) ?? null, logDirs })
  }
  const topics = (await tried('topics', admin.listTopics({ internal: true }, wait))) ?? []
  const groups = (await tried('groups', admin.listGroups(wait))) ?? []
  return {
    made: {
      at: new Date(env.clock.wallMs()).toISOString(),
      by: `minikafka ${VERSION}`,
      node: env.program.nodeVersion,
      platform: env.program.platform,
      ...{ topics: topics.length, groups: groups.length },
    },
    cluster,
    brokers,
    topics: await eachOf(topics.slice(0, TOPICS_MAX), ({ name }) =>
      tried(`topic ${name}`, admin.describeTopic(name, wait)),
    ),
    groups: await eachOf(groups.slice(0, GROUPS_MAX), async ({ group }) => ({
      description: await tried(`group ${group}`, admin.describeGroup(group, wait)),
      lag: await tried(`lag of ${group}`, admin.lag(group, wait)),
    })),
  }
}

async function eachOf<T, R>(things: readonly T[], ask: (thing: T) => Promise<R>): Promise<R[]> {
  const answers: R[] = []
  for (let at = 0; at < things.length; at += AT_ONCE)
    answers.push(...(await Promise.all(things.slice(at, at + AT_ONCE).map(ask))))
  return answers
}

function withoutSecret(entry: ConfigEntry): ConfigEntry {
  return SECRET.test(entry.name) && entry.value !== null ? { ...entry, value: '(hidden)' } : entry
}
