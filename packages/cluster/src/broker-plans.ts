// What brokers that come and go mean for the partitions. Pure: the image in, partitions to rewrite out (REPLICATION 2.7, 2.9).
import type { Partition } from './cluster-view.ts'
import {
  type Brokers,
  elect,
  fence,
  type ReplicaAnswer,
  recover,
  type UncleanRecovery,
} from './election.ts'
import type { Image } from './image.ts'
import type { BrokerStatusValue, PartitionValue } from './values.ts'

export type PartitionRewrite = { readonly before: Partition; readonly after: PartitionValue }

/** A partition whose ISR and ELR are empty, and what came of it: to be logged and counted. */
export type RecoveryReport = {
  readonly topicId: string
  readonly partition: number
  readonly outcome: 'waiting' | 'refused' | 'recovered' | 'unclean'
  readonly reason: string
}

export function brokersOf(image: Image): Brokers {
  const statusOf = (id: number) => image.brokers.get(id)?.status
  return {
    isActive: (id) => statusOf(id) === 'active' || statusOf(id) === 'draining',
    isDraining: (id) => statusOf(id) === 'draining',
  }
}

export type Fence = {
  readonly status: BrokerStatusValue
  /** Its replicas have all that they had. Gone: yes, until it comes back and proves otherwise. */
  readonly clean: boolean
  /** It is another process than before, which was stopped in order. */
  readonly isCleanRestart: boolean
}

/** What a broker has to get, because its registration is gone or new; undefined: nothing has changed. */
export function neededFence(image: Image, brokerId: number): Fence | undefined {
  const known = image.brokers.status(brokerId)
  const registered = image.brokers.registration(brokerId)
  if (registered === undefined) {
    if (known === undefined || known.status === 'fenced') return undefined
    const status = { ...known, status: 'fenced', sinceRev: image.revision } as const
    return { status, clean: true, isCleanRestart: false }
  }
  const { brokerEpoch, value } = registered
  if (known?.epoch === brokerEpoch) return undefined
  const isSameProcess = known?.incarnation === value.incarnation
  const isCleanRestart =
    known !== undefined && !isSameProcess && known.epoch === value.previousEpoch
  const status: BrokerStatusValue = {
    ...known,
    epoch: brokerEpoch,
    incarnation: value.incarnation,
    status: 'fenced',
    sinceRev: image.revision,
  }
  return { status, clean: isSameProcess || isCleanRestart, isCleanRestart }
}

/**
 * Takes a broker out of leadership and ISR everywhere; after an unclean stop out of the ELR, too.
 *
 * Holds   a clean restart keeps what it led alone: nobody could take over meanwhile, it has every record, and its epoch
 *         goes on. It leads when it is active; `planLost` looks at its logs before.
 */
export function planFence(
  image: Image,
  brokerId: number,
  { clean, isCleanRestart }: Omit<Fence, 'status'>,
): PartitionRewrite[] {
  const all = brokersOf(image)
  const brokers: Brokers = { ...all, isActive: (id) => id !== brokerId && all.isActive(id) }
  const concerned = ({ isr, elr, leader }: Partition) =>
    isr.includes(brokerId) || leader === brokerId || (!clean && elr.includes(brokerId))
  return partitionsOf(image)
    .filter(concerned)
    .map((before) => ({ before, after: fence(before, brokerId, { clean, brokers }) }))
    .filter(
      ({ before, after }) => !(isCleanRestart && leadsAlone(before, brokerId) && after.leader < 0),
    )
}

function leadsAlone({ leader, isr }: Partition, brokerId: number): boolean {
  return leader === brokerId && isr.every((id) => id === brokerId)
}

/** Of a broker that becomes active: where its log lost committed records it is as good as after an unclean stop. */
export function planLost(
  image: Image,
  brokerId: number,
  answerOf: (topicId: string, partition: number) => ReplicaAnswer | undefined,
): PartitionRewrite[] {
  const all = brokersOf(image)
  const brokers: Brokers = { ...all, isActive: (id) => id !== brokerId && all.isActive(id) }
  return partitionsOf(image)
    .filter(({ isr }) => isr.includes(brokerId))
    .filter(({ topicId, partition }) => answerOf(topicId, partition)?.lost === true)
    .map((before) => ({ before, after: fence(before, brokerId, { clean: false, brokers }) }))
}

/** What replicas said, by broker; of brokers that are ready. */
export type Answers = ReadonlyMap<
  number,
  (topicId: string, partition: number) => ReplicaAnswer | undefined
>

/** Gives leaders to partitions without one, as far as it can be done. */
export function planElections(
  image: Image,
  answers: Answers,
  settings: {
    uncleanRecovery: UncleanRecovery
    isFlushGroup: (config: ReadonlyMap<string, string>) => boolean
  },
): { rewrites: PartitionRewrite[]; reports: RecoveryReport[] } {
  const rewrites: PartitionRewrite[] = []
  const reports: RecoveryReport[] = []
  const brokers = brokersOf(image)
  for (const before of partitionsOf(image)) {
    if (before.leader >= 0) continue
    const { topicId, partition, replicas } = before
    const given = replicas
      .map((id) => answers.get(id)?.(topicId, partition))
      .filter((answer) => answer !== undefined)
    const elected = elect(withoutLost(before, given, brokers), brokers)
    const config = image.topics.byId(topicId)?.config ?? new Map<string, string>()
    const { state, outcome, reason } = recover(elected, given, {
      recovery: settings.uncleanRecovery,
      flushGroup: settings.isFlushGroup(config),
      brokers,
    })
    if (outcome !== 'not-needed') reports.push({ topicId, partition, outcome, reason })
    if (state !== before) rewrites.push({ before, after: state })
  }
  return { rewrites, reports }
}

/** A replica that lost committed records is as good as one that stopped uncleanly. */
function withoutLost(
  state: PartitionValue,
  answers: readonly ReplicaAnswer[],
  brokers: Brokers,
): PartitionValue {
  return answers
    .filter(({ lost, brokerId }) => lost && state.elr.includes(brokerId))
    .reduce((next, { brokerId }) => {
      const others: Brokers = {
        ...brokers,
        isActive: (id) => id !== brokerId && brokers.isActive(id),
      }
      return fence(next, brokerId, { clean: false, brokers: others })
    }, state)
}

/** Partitions whose copy of min.insync.replicas is not the topic's: a change of it was cut short, or is new. */
export function planMinIsr(image: Image): PartitionRewrite[] {
  return partitionsOf(image).flatMap((before) => {
    const minIsr = image.topics.byId(before.topicId)?.minIsr ?? before.minIsr
    if (before.minIsr === minIsr) return []
    // With another minimum the high watermark may move without the ELR; not while nobody leads.
    const forget = before.isr.length > 0 ? { elr: [], lastKnownElr: [] } : {}
    return [{ before, after: { ...before, minIsr, ...forget } }]
  })
}

/** Of live topics. */
function partitionsOf(image: Image): readonly Partition[] {
  return image.topics.live().flatMap(({ topicId }) => image.topics.partitionsOf(topicId))
}
