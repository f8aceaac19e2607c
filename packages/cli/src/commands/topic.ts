// minikafka topic create | alter | delete: what changes topics.
import { isMinikafkaError, type TopicDescription } from '@minikafka/client'
import { confirm } from '../confirm.ts'
import { positive } from '../grammar/number.ts'
import { namePattern } from '../grammar/pattern.ts'
import { reachBroker } from '../reach.ts'
import { splitPair } from '../sdk-options.ts'
import type { Session } from '../session.ts'
import { eachOf } from '../several.ts'
import { UsageError } from '../usage-error.ts'

export type CreateOptions = {
  partitions?: string
  replicas?: string
  config?: string[]
  ifNotExists?: boolean
  dryRun?: boolean
}

export async function topicCreate(
  session: Session,
  names: readonly string[],
  options: CreateOptions,
): Promise<void> {
  const { partitions, replicas, config = [], ifNotExists = false, dryRun = false } = options
  const wanted = {
    ...(partitions === undefined ? {} : { partitions: positive('-p', partitions) }),
    ...(replicas === undefined ? {} : { replicas: positive('-r', replicas) }),
    config: configOf(config),
    validateOnly: dryRun,
  }
  await reachBroker(session)
  await eachOf(session, unique(names), async (name) => {
    try {
      const topic = await session.admin.createTopic(name, wanted, session.wait)
      if (dryRun) await session.print(`would create ${name} with ${partitionsText(topic)}\n`)
      else await session.say(`created ${name} with ${partitionsText(topic)}`)
    } catch (error) {
      if (!ifNotExists || !isMinikafkaError(error) || error.name !== 'TOPIC_ALREADY_EXISTS')
        throw error
      await session.say(`${name} exists already`)
    }
  })
}

function partitionsText({ partitions }: TopicDescription): string {
  return `${partitions.length} ${partitions.length === 1 ? 'partition' : 'partitions'}`
}

/** Values go as they were written: the broker knows the units. */
function configOf(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(pairs.map((pair) => splitPair(pair, '-c')))
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)]
}

// --- alter -------------------------------------------------------------------------------------

export type AlterOptions = { config?: string[]; delete?: string[]; dryRun?: boolean }

export async function topicAlter(
  session: Session,
  name: string,
  options: AlterOptions,
): Promise<void> {
  const { config = [], delete: unset = [], dryRun = false } = options
  const set = configOf(config)
  const both = unset.find((key) => Object.hasOwn(set, key))
  if (both !== undefined) throw new UsageError(`${both}: set it, or delete it, not both`)
  if (Object.keys(set).length === 0 && unset.length === 0)
    throw new UsageError('nothing to change: give -c name=value, or -d name')
  await reachBroker(session)
  const change = { set, delete: unset, validateOnly: dryRun }
  await session.admin.alterTopic(name, change, session.wait)
  const changes = [
    ...Object.entries(set).map(([key, value]) => `${key}=${value}`),
    ...unset.map((key) => `${key} back to its default`),
  ].join(', ')
  if (dryRun) await session.print(`would change ${name}: ${changes}\n`)
  else await session.say(`changed ${name}: ${changes}`)
}

// --- delete ------------------------------------------------------------------------------------

export type DeleteOptions = { ifExists?: boolean; dryRun?: boolean; regex?: boolean }

export async function topicDelete(
  session: Session,
  names: readonly string[],
  options: DeleteOptions,
): Promise<void> {
  const wanted = unique(names)
  const patterns = options.regex ? wanted.map((name) => namePattern(name)) : undefined
  await reachBroker(session)
  const internal = patterns === undefined
  const topics = await session.ask(session.admin.listTopics({ internal }, session.wait))
  const all = topics.map(({ name }) => name)
  const doomed = all.filter((name) =>
    patterns === undefined ? wanted.includes(name) : patterns.some((one) => one.test(name)),
  )
  const missing = patterns === undefined ? wanted.filter((name) => !all.includes(name)) : []
  // Nothing is deleted where something is mistyped. The description says which name is near.
  if (!options.ifExists)
    await eachOf(session, missing, async (name) => {
      await session.ask(session.admin.describeTopic(name, session.wait))
    })
  for (const name of missing) await session.say(`there is no topic '${name}'`)
  if (doomed.length === 0) return session.say('nothing to delete')
  const records = `${doomed.join(', ')} with all ${doomed.length === 1 ? 'its' : 'their'} records`
  if (options.dryRun) return session.print(`would delete ${records}\n`)
  await confirm(session, `Delete ${records}?`)
  await eachOf(session, doomed, async (name) => {
    await session.admin.deleteTopic(name, options.ifExists ? { ifExists: true } : {}, session.wait)
    await session.say(`deleted ${name}`)
  })
}
