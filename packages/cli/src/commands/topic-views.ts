// minikafka topic list | describe: what there is.
import type { TopicDescription } from '@minikafka/client'
import { reachBroker } from '../reach.ts'
import type { Session } from '../session.ts'
import { eachOf } from '../several.ts'
import { bytesText, type Column, printFacts, printRows } from '../table.ts'

export async function topicList(
  session: Session,
  options: { sizes?: boolean; internal?: boolean },
): Promise<void> {
  await reachBroker(session)
  const internal = options.internal === true
  const topics = await session.ask(session.admin.listTopics({ internal }, session.wait))
  topics.sort((a, b) => (a.name < b.name ? -1 : 1))
  const sizes = options.sizes ? await session.ask(sizesByTopic(session)) : undefined
  const sizeOf = ({ name }: TopicDescription) => sizes?.get(name) ?? 0
  const size: Column<TopicDescription> = {
    title: 'SIZE',
    of: (topic) => bytesText(sizeOf(topic)),
    right: true,
  }
  const columns: Column<TopicDescription>[] = [
    { title: 'TOPIC', of: ({ name }) => name, fit: 'cut' },
    { title: 'PARTITIONS', of: ({ partitions }) => String(partitions.length), right: true },
    { title: 'REPLICAS', of: (topic) => String(replicasOf(topic)), right: true },
    ...(sizes ? [size] : []),
    { title: 'ID', of: ({ topicId }) => topicId, wide: true, fit: 'cut' },
  ]
  await printRows(session, topics, columns, (topic) => ({
    name: topic.name,
    topicId: topic.topicId,
    partitions: topic.partitions.length,
    replicas: replicasOf(topic),
    ...(sizes ? { sizeBytes: sizeOf(topic) } : {}),
  }))
}

function replicasOf({ partitions }: TopicDescription): number {
  return partitions[0]?.replicas.length ?? 0
}

/** Of all copies together. */
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

// --- describe ----------------------------------------------------------------------------------

type Described = Omit<TopicDescription, 'partitions'> & { readonly partitions: readonly Row[] }
/** Offsets are -1 where there is no leader to ask. */
type Row = TopicDescription['partitions'][number] & {
  readonly startOffset: number
  readonly endOffset: number
}

export async function topicDescribe(session: Session, names: readonly string[]): Promise<void> {
  await reachBroker(session)
  const topics: Described[] = []
  const asking = eachOf(session, [...new Set(names)], async (name) => {
    topics.push(await session.ask(describe(session, name)))
  })
  // What could be found is printed, whatever could not.
  const failure: unknown = await asking.catch((error: unknown) => error)
  await printTopics(session, topics)
  if (failure !== undefined) throw failure
}

async function describe(session: Session, name: string): Promise<Described> {
  const topic = await session.admin.describeTopic(name, session.wait)
  const askable = topic.partitions.every(({ leaderId }) => leaderId >= 0)
  const at = async (end: 'earliest' | 'latest') => {
    const offsets = askable ? await session.admin.offsets(name, end, session.wait) : []
    return new Map(offsets.map(({ partition, offset }) => [partition, offset]))
  }
  const [starts, ends] = await Promise.all([at('earliest'), at('latest')])
  const partitions = topic.partitions.map((one) => ({
    ...one,
    startOffset: starts.get(one.partition) ?? -1,
    endOffset: ends.get(one.partition) ?? -1,
  }))
  return { ...topic, partitions }
}

async function printTopics(session: Session, topics: readonly Described[]): Promise<void> {
  if (session.output === 'json') return session.print(`${JSON.stringify(topics, null, 2)}\n`)
  for (const [index, topic] of topics.entries()) {
    if (session.output === 'jsonl') await session.print(`${JSON.stringify(topic)}\n`)
    else {
      if (index > 0) await session.print('\n')
      await printTopic(session, topic)
    }
  }
}

async function printTopic(session: Session, topic: Described): Promise<void> {
  const { name, topicId, partitions, config } = topic
  const facts = {
    topic: name,
    id: topicId,
    partitions: partitions.length,
    replicas: replicasOf(topic),
  }
  await printFacts(session, facts, topic)
  await session.print('\n')
  await printRows(session, partitions, PARTITION_COLUMNS, (row) => row)
  await session.print('\n')
  const shown = config.filter(({ origin }) => session.output === 'wide' || origin !== 'default')
  if (shown.length === 0)
    return session.print('all settings are at their defaults (-O wide shows them)\n')
  await printRows(
    session,
    shown,
    [
      { title: 'SETTING', of: (entry) => entry.name },
      { title: 'VALUE', of: ({ value }) => value ?? '-', fit: 'cut' },
      { title: 'FROM', of: ({ origin }) => origin },
    ],
    (entry) => entry,
  )
}

const PARTITION_COLUMNS: readonly Column<Row>[] = [
  { title: 'PARTITION', of: ({ partition }) => String(partition), right: true },
  {
    title: 'LEADER',
    of: ({ leaderId }) => (leaderId < 0 ? 'none' : String(leaderId)),
    right: true,
  },
  { title: 'REPLICAS', of: ({ replicas }) => replicas.join(',') },
  { title: 'IN SYNC', of: ({ isr }) => isr.join(',') },
  { title: 'START', of: ({ startOffset }) => offsetText(startOffset), right: true },
  { title: 'END', of: ({ endOffset }) => offsetText(endOffset), right: true },
  {
    title: 'RECORDS',
    of: ({ startOffset, endOffset }) =>
      startOffset < 0 || endOffset < 0 ? '-' : String(endOffset - startOffset),
    right: true,
  },
  { title: 'EPOCH', of: ({ leaderEpoch }) => String(leaderEpoch), right: true, wide: true },
]

function offsetText(offset: number): string {
  return offset < 0 ? '-' : String(offset)
}
