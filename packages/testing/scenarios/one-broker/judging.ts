// The last look: the whole log of every topic, batch by batch, against what truly happened.
// Enters: the broker, healed and at rest. Leaves: nothing, or the promise that was broken.
import { assert, type Env, sleep } from '@minikafka/platform'
import { type BatchHeader, Connection } from '@minikafka/protocol'
import type { PartitionFacts } from 'minikafka-broker'
import { BROKER, PORT } from '../stage/daemon.ts'
import { Violation } from '../stage/violation.ts'
import { type Found, nameOf, type Sent, type TopicLife } from './ledger.ts'
import { readLog } from './log-content.ts'
import { recordOf } from './producer-plans.ts'
import type { Stage } from './stage.ts'

/** One partition as it was found. */
type Content = {
  readonly facts: PartitionFacts
  /** From here on the broker, or a checksum, says that it cannot be read. */
  readonly brokenAt: number
  readonly headers: BatchHeader[]
  readonly records: Found[]
}

const REST_MS = 50

export async function judge(stage: Stage, env: Env): Promise<void> {
  const { daemon, ledger, plan, timeline } = stage
  const all = daemon.broker?.partitions() ?? []
  const who = { clientName: 'judge', clientVersion: '0', clientId: 'judge' }
  const connection = await Connection.open(env, {
    host: BROKER,
    port: PORT,
    ...who,
    timeoutMs: 30_000,
  })
  const contents: Content[] = []
  try {
    for (const facts of all) contents.push(await contentOf(stage, env, connection, facts))
  } finally {
    connection.close()
  }
  for (const [topic, life] of ledger.topics) {
    const own = contents.filter(({ facts }) => facts.topic === topic)
    for (const content of own) judgePartition(stage, life, content)
    judgeTopic(stage, life, own)
  }
  if (!plan.rots) {
    const names = contents.map(({ facts }) => `${facts.topic}-${facts.partition}`)
    ledger.chronicle.final(
      contents.flatMap(({ records }) => records),
      names,
    )
    ledger.chronicle.check(ledger)
  }
  timeline.count(
    'judged records',
    contents.reduce((sum, { records }) => sum + records.length, 0),
  )
}

/** Retention may go on while the log is read, and what nobody waits for (acks none) may arrive: then it is read again. */
async function contentOf(
  { daemon, plan, world }: Stage,
  env: Env,
  connection: Connection,
  { topicId, partition }: PartitionFacts,
): Promise<Content> {
  const look = () => {
    const all = daemon.broker?.partitions() ?? []
    const facts = all.find((one) => one.topicId === topicId && one.partition === partition)
    assert(facts !== undefined, 'nobody deletes a topic any more')
    return facts
  }
  for (;;) {
    const facts = look()
    const hasMoved = () => JSON.stringify(look()) !== JSON.stringify(facts)
    const reading = readLog(env, connection, facts, plan.rots)
    const content = await reading.catch((error: unknown) => {
      if (!hasMoved()) throw error
      return undefined
    })
    const isAtRest = facts.highWatermark === facts.logEndOffset
    if (content !== undefined && isAtRest && !hasMoved()) return { facts, ...content }
    await sleep(world.clock, REST_MS)
  }
}

function judgePartition(
  { ledger }: Stage,
  life: TopicLife,
  { facts, headers, records }: Content,
): void {
  const { topic, partition, logStartOffset, logEndOffset, highWatermark, lastStableOffset } = facts
  if (facts.offline !== undefined) return
  if (lastStableOffset !== highWatermark || highWatermark !== logEndOffset)
    throw new Violation('liveness', `LSO = HW = LEO, healed and at rest: ${JSON.stringify(facts)}`)
  if (logStartOffset > 0 && !life.mayShrink)
    throw new Violation(
      'lost-write',
      `${topic}-${partition} begins at ${logStartOffset}, and nobody deleted a record`,
    )
  judgeHeaders(facts, headers, logStartOffset)
  const reads =
    life.deletedMs > Number.NEGATIVE_INFINITY ? undefined : ledger.readsOf(topic, partition)
  for (const found of records) {
    const sent = ledger.check(found)
    const read = reads?.get(found.offset)
    if (read !== undefined && read !== sent.id && found.offset < life.lossFloor(partition))
      throw new Violation('I6', `${nameOf(found)} was read as ${read}, and is ${sent.id}`)
  }
  for (const [offset, id] of reads ?? []) {
    if (offset >= logEndOffset && offset < life.lossFloor(partition))
      throw new Violation(
        'I6',
        `${topic}-${partition} @ ${offset} was read as ${id}, and the log ends at ${logEndOffset}`,
      )
    if (ledger.sent.get(id)?.state === 'not-written')
      throw new Violation(
        'I11',
        `${topic}-${partition} @ ${offset}: ${id} was read, and its producer was told that it is not written`,
      )
  }
}

/** I9 and I10, from what stands in the log. */
function judgeHeaders(
  { topic, partition, epochs, compactedBelow }: PartitionFacts,
  headers: readonly BatchHeader[],
  logStart: number,
): void {
  const producers = new Map<string, { readonly next: number; readonly at: number }>()
  let leaderEpoch = -1
  for (const header of headers) {
    const where = `${topic}-${partition} @ ${header.baseOffset}`
    if (header.leaderEpoch < leaderEpoch)
      throw new Violation('I7', `${where}: leader epoch ${header.leaderEpoch} after ${leaderEpoch}`)
    leaderEpoch = header.leaderEpoch
    const known = epochs.findLast(
      ({ startOffset }) => startOffset <= Math.max(header.baseOffset, logStart),
    )
    if (known?.epoch !== header.leaderEpoch)
      throw new Violation(
        'I9',
        `${where}: leader epoch ${header.leaderEpoch}, the epoch cache says ${known?.epoch}`,
      )
    if (header.producerId < 0) continue
    const key = `${header.producerId} ${header.producerEpoch}`
    const before = producers.get(key)
    const expected = before?.next ?? 0
    // What stood between it and the one before may be deleted, or compacted.
    const isFree =
      before === undefined ? logStart > 0 || compactedBelow > 0 : before.at < compactedBelow
    if (isFree ? header.baseSequence < expected : header.baseSequence !== expected)
      throw new Violation(
        'I10',
        `${where}: producer ${key} wrote sequence ${header.baseSequence} where ${expected} follows`,
      )
    const next = (header.baseSequence + header.lastOffsetDelta + 1) % 2 ** 31
    producers.set(key, { next, at: header.lastOffset })
  }
}

/** Nothing lost, nothing doubled, nothing out of order, nothing risen from the dead. */
function judgeTopic({ ledger }: Stage, life: TopicLife, contents: readonly Content[]): void {
  const { name } = life.plan
  const places = new Map<string, Found>()
  for (const { records } of contents) {
    const last = new Map<string, Sent>()
    for (const found of records) {
      const sent = ledger.check(found)
      judgeOrder(found, sent, last)
      const twin = places.get(sent.id)
      if (twin !== undefined && sent.idempotent)
        throw new Violation('duplicate', `${sent.id} is at ${nameOf(twin)} and at ${nameOf(found)}`)
      places.set(sent.id, found)
      if (sent.state === 'acked' && sent.settledMs < life.deletedMs)
        throw new Violation(
          'resurrected',
          `${sent.id} was acknowledged before ${name} was deleted, and is at ${nameOf(found)}`,
        )
    }
  }
  for (const sent of ledger.sent.values()) {
    if (
      sent.topic !== name ||
      sent.state !== 'acked' ||
      sent.sentMs < life.madeMs ||
      places.has(sent.id)
    )
      continue
    const content = contents.find(({ facts }) => facts.partition === sent.partition)
    const isDeleted = content !== undefined && sent.offset < content.facts.logStartOffset
    const isSaid = content !== undefined && sent.offset >= content.brokenAt
    if (isDeleted || isSaid || life.mayBeLost(sent) || isPast(content, sent)) continue
    throw new Violation(
      'lost-write',
      `${sent.id} was acknowledged at ${name}-${sent.partition} @ ${sent.offset}, and is not there: the log ${content === undefined ? 'is not there either' : `reaches from ${content.facts.logStartOffset} to ${content.facts.logEndOffset}`}`,
    )
  }
}

/** Compaction has gone over it, and a later record of its key is there. */
function isPast(content: Content | undefined, { id, topic, offset }: Sent): boolean {
  if (content === undefined || offset >= content.facts.compactedBelow) return false
  // The later one may be among those that cannot be read any more.
  if (Number.isFinite(content.brokenAt)) return true
  const { key } = recordOf(id, topic)
  return content.records.some((found) => found.key === key && found.offset > offset)
}

/** What an idempotent producer sent stands in the order in which it was sent. */
function judgeOrder(found: Found, sent: Sent, last: Map<string, Sent>): void {
  if (!sent.idempotent) return
  const before = last.get(sent.producer)
  last.set(sent.producer, sent)
  if (before !== undefined && before.number > sent.number)
    throw new Violation(
      'nonmonotonic-send',
      `${nameOf(found)} holds ${sent.id}, behind ${before.id}`,
    )
}
