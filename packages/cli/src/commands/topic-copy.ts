// minikafka topic copy A B: every record of A, as it is now, to B: key, value, headers and timestamp.
// Enters: two topics, the second perhaps of another cluster. Leaves: the same records there, and a sentence that says so.
import {
  isMinikafkaError,
  type Producer,
  type ProducerOptions,
  type TopicDescription,
} from '@minikafka/client'
import { codeOf, textOf } from '../endings.ts'
import { Failure } from '../failures.ts'
import { parseOffsets } from '../grammar/offsets.ts'
import { profileNamed, readProfiles } from '../profiles.ts'
import { reachBroker } from '../reach.ts'
import type { Session } from '../session.ts'
import { UsageError } from '../usage-error.ts'
import { readOnce } from './bounded-reading.ts'
import type { ReadRecords } from './consume-options.ts'
import { type Target, targetsOf } from './consume-targets.ts'
import { codecOf } from './produce-options.ts'

export type CopyOptions = {
  toProfile?: string
  offset?: string
  create?: boolean
  compression?: string
  dryRun?: boolean
}

export async function topicCopy(
  session: Session,
  from: string,
  to: string,
  options: CopyOptions,
): Promise<void> {
  const range = parseOffsets(options.offset ?? 'start', session.env.clock.wallMs())
  if (range.from.at === 'committed' || range.to?.at === 'committed')
    throw new UsageError('-o committed: only a group commits offsets')
  const compression = options.compression === undefined ? undefined : codecOf(options.compression)
  if (options.toProfile === undefined && from === to)
    throw new UsageError(`${from} cannot be copied to itself: name another topic, or --to-profile`)
  const target = await targetSession(session, options.toProfile)
  try {
    await reachBroker(session)
    if (target !== session) await reachBroker(target)
    const source = await session.ask(session.admin.describeTopic(from, session.wait))
    await refuseItself(session, target, from, to)
    const targets = await session.ask(
      targetsOf(session, [from], { range, untilEnd: true, partitions: undefined }),
    )
    const found = await findTarget(target, to, options, source)
    const job = { from, to, where: options.toProfile, targets, compression }
    if (options.dryRun) return await session.print(`would copy ${planText(job, found, source)}\n`)
    const partitions = found?.partitions.length ?? (await createLike(target, to, source))
    await copy(session, target, {
      ...job,
      keepsPartitions: partitions === source.partitions.length,
    })
  } finally {
    if (target !== session) await target.close()
  }
}

async function targetSession(session: Session, profile: string | undefined): Promise<Session> {
  if (profile === undefined) return session
  return session.elsewhere(profileNamed(await readProfiles(session.env), profile))
}

/** Two profiles may lead to one cluster. */
async function refuseItself(
  session: Session,
  target: Session,
  from: string,
  to: string,
): Promise<void> {
  if (from !== to) return
  const [here, there] = await session.ask(
    Promise.all([session.admin.cluster(session.wait), target.admin.cluster(target.wait)]),
  )
  if (here.clusterId === there.clusterId)
    throw new UsageError(
      `${from} cannot be copied to itself: the profile leads to the same cluster`,
    )
}

// --- the topic that is copied to -----------------------------------------------------------------

/** Undefined: it is to be made. Errors: it is not there, and --create is not given. */
async function findTarget(
  target: Session,
  to: string,
  { create = false }: CopyOptions,
  source: TopicDescription,
): Promise<TopicDescription | undefined> {
  try {
    return await target.ask(target.admin.describeTopic(to, target.wait))
  } catch (error) {
    if (!isMinikafkaError(error) || error.name !== 'UNKNOWN_TOPIC_OR_PARTITION') throw error
    if (create) return undefined
    const hint = `--create makes it like ${source.name}`
    throw new Failure(`${error.message}; ${hint}`, codeOf(error), { cause: error })
  }
}

async function createLike(
  target: Session,
  to: string,
  { partitions, config }: TopicDescription,
): Promise<number> {
  const own = config.filter(({ origin, value }) => origin === 'topic' && value !== null)
  const settings = Object.fromEntries(own.map(({ name, value }) => [name, value ?? '']))
  const wanted = { partitions: partitions.length, config: settings }
  await target.admin.createTopic(to, wanted, target.wait)
  await target.say(`created ${to} with ${partitions.length} partitions`)
  return partitions.length
}

// --- the copy ------------------------------------------------------------------------------------

type Job = {
  readonly from: string
  readonly to: string
  readonly where: string | undefined
  readonly targets: readonly Target[]
  readonly compression: ProducerOptions['compression']
}

async function copy(
  session: Session,
  target: Session,
  job: Job & { readonly keepsPartitions: boolean },
): Promise<void> {
  const { compression } = job
  const producer = target.client.producer(compression === undefined ? {} : { compression })
  const counts = { sent: 0, bytes: 0, failed: 0 }
  const failing = new AbortController()
  producer.on('failed', ({ error, records }) => {
    counts.failed += records
    failing.abort(error)
  })
  let isWhole = false
  let failure: unknown
  try {
    isWhole = await readOnce(session, {
      what: 'copied',
      targets: job.targets,
      stop: failing.signal,
      take: (records) => sendAll(producer, job, records, counts),
    })
  } catch (error) {
    failure = error
  }
  // What was sent is in hand, whatever ended the reading. What failed was told by the event.
  await producer.flush().catch((error: unknown) => failing.abort(error))
  const copied = `${countText(counts.sent - counts.failed)}, ${placeText(job)}`
  failure ??= failing.signal.reason
  if (failure !== undefined)
    throw new Failure(`${textOf(failure)}; copied before that: ${copied}`, codeOf(failure), {
      cause: failure,
    })
  if (!isWhole) throw new Failure(`stopped before the end; copied: ${copied}`)
  const how = job.keepsPartitions ? 'each to the partition it was in' : 'partitions by key'
  await session.say(`copied ${copied}: keys, headers and timestamps kept, ${how}`)
}

async function sendAll(
  producer: Producer,
  { to, keepsPartitions }: Job & { readonly keepsPartitions: boolean },
  records: readonly ReadRecords[],
  counts: { sent: number },
): Promise<void> {
  for (const { partition, key, value, headers, timestamp } of records) {
    const where = keepsPartitions ? { partition } : {}
    const hasRoom = producer.push(to, { key, value, headers: [...headers], timestamp, ...where })
    counts.sent++
    if (!hasRoom) await producer.drained()
  }
}

function planText(
  job: Job,
  found: TopicDescription | undefined,
  { partitions }: TopicDescription,
): string {
  const offsets = job.targets.reduce((sum, { from, end }) => sum + Math.max(0, end - from), 0)
  const made = found === undefined ? `, made with ${partitions.length} partitions` : ''
  return `up to ${countText(offsets)}, ${placeText(job)}${made}`
}

function placeText({ from, to, where }: Job): string {
  return `from ${from} to ${to}${where === undefined ? '' : ` of profile ${where}`}`
}

function countText(count: number): string {
  return count === 1 ? '1 record' : `${count} records`
}
