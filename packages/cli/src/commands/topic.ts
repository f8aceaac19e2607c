// minikafka topic create | list | describe | alter | delete.
import { isMinikafkaError, type TopicDescription } from '@minikafka/client'
import { confirm } from '../confirm.ts'
import type { Session } from '../session.ts'
import { splitPair } from '../session.ts'
import { bytesText, type Column, printFacts, printRows } from '../table.ts'
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
  const { ifNotExists = false, dryRun = false } = options
  const wanted = {
    ...(options.partitions === undefined ? {} : { partitions: positive('-p', options.partitions) }),
    ...(options.replicas === undefined ? {} : { replicas: positive('-r', options.replicas) }),
    config: configOf(options.config ?? []),
    ifNotExists,
    validateOnly: dryRun,
  }
  for (const name of names) {
    const topic = await session.admin.createTopic(name, wanted, session.wait)
    const partitions = `${topic.partitions.length} ${topic.partitions.length === 1 ? 'partition' : 'partitions'}`
    await session.say(
      dryRun ? `would create ${name} with ${partitions}` : `created ${name} with ${partitions}`,
    )
  }
}

export async function topicList(
  session: Session,
  options: { sizes?: boolean; internal?: boolean },
): Promise<void> {
  const topics = await session.admin.listTopics(
    { internal: options.internal === true },
    session.wait,
  )
  const sizes = options.sizes ? await sizesByTopic(session) : undefined
  const columns: Column<TopicDescription>[] = [
    { title: 'TOPIC', of: ({ name }) => name },
    { title: 'PARTITIONS', of: ({ partitions }) => String(partitions.length), right: true },
    { title: 'REPLICAS', of: replicasText, right: true },
    ...(sizes
      ? [
          {
            title: 'SIZE',
            of: ({ name }: TopicDescription) => bytesText(sizes.get(name) ?? 0),
            right: true,
          },
        ]
      : []),
    { title: 'ID', of: ({ topicId }) => topicId, wide: true },
  ]
  await printRows(session, topics, columns, (topic) => ({
    name: topic.name,
    topicId: topic.topicId,
    partitions: topic.partitions.length,
    replicas: topic.partitions[0]?.replicas.length ?? 0,
    ...(sizes ? { sizeBytes: sizes.get(topic.name) ?? 0 } : {}),
  }))
}

export async function topicDescribe(session: Session, names: readonly string[]): Promise<void> {
  const topics = []
  for (const name of names) topics.push(await session.admin.describeTopic(name, session.wait))
  if (session.output === 'json' || session.output === 'jsonl') {
    const text =
      session.output === 'json'
        ? JSON.stringify(topics, null, 2)
        : topics.map((topic) => JSON.stringify(topic)).join('\n')
    return session.print(`${text}\n`)
  }
  for (const [index, topic] of topics.entries()) {
    if (index > 0) await session.print('\n')
    await describeOne(session, topic)
  }
}

async function describeOne(session: Session, topic: TopicDescription): Promise<void> {
  const ends = await session.admin.offsets(topic.name, 'latest', session.wait)
  const starts = await session.admin.offsets(topic.name, 'earliest', session.wait)
  const at = (offsets: readonly { partition: number; offset: number }[], partition: number) =>
    offsets.find((one) => one.partition === partition)?.offset ?? -1
  await printFacts(
    session,
    {
      topic: topic.name,
      id: topic.topicId,
      partitions: topic.partitions.length,
      replicas: replicasText(topic),
    },
    topic,
  )
  await session.print('\n')
  await printRows(
    session,
    topic.partitions,
    [
      { title: 'PARTITION', of: ({ partition }) => String(partition), right: true },
      {
        title: 'LEADER',
        of: ({ leaderId }) => (leaderId < 0 ? 'none' : String(leaderId)),
        right: true,
      },
      { title: 'REPLICAS', of: ({ replicas }) => replicas.join(',') },
      { title: 'IN SYNC', of: ({ isr }) => isr.join(',') },
      { title: 'START', of: ({ partition }) => String(at(starts, partition)), right: true },
      { title: 'END', of: ({ partition }) => String(at(ends, partition)), right: true },
      {
        title: 'RECORDS',
        of: ({ partition }) => String(at(ends, partition) - at(starts, partition)),
        right: true,
      },
      { title: 'EPOCH', of: ({ leaderEpoch }) => String(leaderEpoch), right: true, wide: true },
    ],
    (partition) => partition,
  )
  await session.print('\n')
  const shown = topic.config.filter(
    ({ origin }) => session.output === 'wide' || origin !== 'default',
  )
  if (shown.length === 0)
    return session.print('all settings are at their defaults (-O wide shows them)\n')
  await printRows(
    session,
    shown,
    [
      { title: 'SETTING', of: ({ name }) => name },
      { title: 'VALUE', of: ({ value }) => value ?? '-' },
      { title: 'FROM', of: ({ origin }) => origin },
    ],
    (entry) => entry,
  )
}

export async function topicAlter(
  session: Session,
  name: string,
  options: { config?: string[]; delete?: string[]; dryRun?: boolean },
): Promise<void> {
  const set = configOf(options.config ?? [])
  const unset = options.delete ?? []
  if (Object.keys(set).length === 0 && unset.length === 0) {
    throw new UsageError('nothing to change: give -c name=value, or --delete name')
  }
  const validateOnly = options.dryRun === true
  await session.admin.alterTopic(name, { set, delete: unset, validateOnly }, session.wait)
  const changes = [
    ...Object.entries(set).map(([key, value]) => `${key}=${value}`),
    ...unset.map((key) => `${key} back to its default`),
  ]
  await session.say(`${validateOnly ? 'would change' : 'changed'} ${name}: ${changes.join(', ')}`)
}

export async function topicDelete(
  session: Session,
  names: readonly string[],
  options: { ifExists?: boolean; dryRun?: boolean; regex?: boolean },
): Promise<void> {
  const doomed = options.regex ? await matching(session, names) : names
  if (doomed.length === 0) return session.say('no topic matches')
  if (options.dryRun) return session.say(`would delete ${doomed.join(', ')} with all their records`)
  await confirm(session, `Delete ${doomed.join(', ')} with all records?`)
  for (const name of doomed) {
    await session.admin.deleteTopic(name, { ifExists: options.ifExists === true }, session.wait)
    await session.say(`deleted ${name}`)
  }
}

async function matching(session: Session, patterns: readonly string[]): Promise<string[]> {
  const expressions = patterns.map((pattern) => {
    try {
      return new RegExp(`^(?:${pattern})$`, 'u')
    } catch (error) {
      throw new UsageError(`--regex ${pattern}: ${(error as Error).message}`)
    }
  })
  const topics = await session.admin.listTopics({}, session.wait)
  return topics
    .map(({ name }) => name)
    .filter((name) => expressions.some((expression) => expression.test(name)))
}

// --- options -----------------------------------------------------------------------------------

function positive(flag: string, text: string): number {
  const value = Number(text)
  if (!/^\d{1,9}$/.test(text) || value < 1)
    throw new UsageError(`${flag} ${text}: expected a number, 1 or more`)
  return value
}

/** Values go as they were written; the broker knows units. A duration or size is checked there. */
function configOf(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(pairs.map((pair) => splitPair(pair, '-c')))
}

function replicasText({ partitions }: TopicDescription): string {
  return String(partitions[0]?.replicas.length ?? 0)
}

async function sizesByTopic(session: Session): Promise<ReadonlyMap<string, number>> {
  const sizes = new Map<string, number>()
  for (const { topics } of await session.admin.logDirs(undefined, session.wait)) {
    for (const { name, partitions } of topics) {
      const bytes = partitions.reduce((sum, { sizeBytes }) => sum + Math.max(0, sizeBytes), 0)
      sizes.set(name, (sizes.get(name) ?? 0) + bytes)
    }
  }
  return sizes
}

/** A topic that is not there is told apart from other errors by its exit code. */
export function isNotFound(error: unknown): boolean {
  return (
    isMinikafkaError(error) &&
    (error.name === 'UNKNOWN_TOPIC_OR_PARTITION' || error.name === 'UNKNOWN_TOPIC_ID')
  )
}
