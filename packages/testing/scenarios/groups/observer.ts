// Stands between the sockets and the handlers of the broker: each commit on its way in is signed with who asks, so that the
// log of the groups tells in the end; what was answered is compared with what must be there.
// Enters: requests and answers. Leaves: commits that were accepted; in the ledger what a group has surely committed.
import type { Apis, RequestOf, ResponseOf } from '@minikafka/protocol'
import { Interceptors } from '../../src/intercept.ts'
import { Violation } from '../stage/violation.ts'
import type { Ledger } from './ledger.ts'
import type { Progress } from './progress.ts'

type CommitRequest = RequestOf<Apis['offsetCommit']>
type CommitAnswer = ResponseOf<Apis['offsetCommit']>
type FetchRequest = RequestOf<Apis['offsetFetch']>
type FetchAnswer = ResponseOf<Apis['offsetFetch']>
type At = { readonly topicId: string; readonly partition: number }

/** A position that the broker said it keeps, and who asked. */
export type Accepted = At & {
  readonly group: string
  /** Of the request, as it is signed. */
  readonly number: number
  readonly offset: number
  readonly memberId: string
  readonly memberEpoch: number
  readonly instanceId: string | null
}

export type ObserverParts = {
  readonly ledger: Ledger
  readonly topicOf: (topicId: string) => string | undefined
  readonly accuse: (violation: Violation) => void
  /** A commit was accepted. */
  readonly told: (count: number) => void
  readonly count: (name: string, by?: number) => void
}

export class Observer {
  readonly #parts: ObserverParts
  readonly #interceptors: Interceptors
  #requests = 0
  readonly accepted: Accepted[] = []

  constructor(parts: ObserverParts) {
    this.#parts = parts
    this.#interceptors = new Interceptors(async () => {})
    this.#interceptors.add('OffsetCommit', (request, next) => this.#commit(request, next))
    this.#interceptors.add('OffsetFetch', (request, next) => this.#fetch(request, next))
    this.#interceptors.add('ConsumerGroupHeartbeat', (request, next) => {
      parts.count('heartbeats')
      return next(request)
    })
  }

  get through() {
    return this.#interceptors.through
  }

  /** Commits of partitions in which another member has committed since: not one of them may count once more. */
  outdated(): Accepted[] {
    const last = new Map<string, string>()
    const keyOf = ({ group, topicId, partition }: Accepted) => `${group} ${topicId} ${partition}`
    const members = this.accepted.filter(({ memberEpoch }) => memberEpoch >= 0)
    for (const one of members) last.set(keyOf(one), one.memberId)
    return members.filter((one) => last.get(keyOf(one)) !== one.memberId)
  }

  async #commit(
    request: CommitRequest,
    next: (request: CommitRequest) => Promise<CommitAnswer | undefined>,
  ): Promise<CommitAnswer | undefined> {
    const { groupId: group, memberId, memberEpoch, instanceId, positions } = request
    const number = ++this.#requests
    const metadata = signed({ number, memberId, memberEpoch })
    for (const position of positions) this.#asked(group, position, { memberId, memberEpoch })
    const sign = (position: CommitRequest['positions'][number]) => ({ ...position, metadata })
    const answer = await next({ ...request, positions: positions.map(sign) }).catch((error) => {
      this.#parts.count('commits refused', positions.length)
      throw error
    })
    let count = 0
    for (const [index, { topicId, partition, offset }] of positions.entries()) {
      if (answer?.results[index]?.errorCode !== 0) continue
      count++
      const who = { group, number, memberId, memberEpoch, instanceId }
      this.accepted.push({ ...who, topicId, partition, offset })
      this.#progressOf(group, { topicId, partition })?.keeps(offset)
    }
    this.#parts.count('commits accepted', count)
    this.#parts.count('commits refused', positions.length - count)
    if (count > 0) this.#parts.told(count)
    return answer
  }

  #asked(
    group: string,
    { topicId, partition, offset }: At & { readonly offset: number },
    { memberId, memberEpoch }: { readonly memberId: string; readonly memberEpoch: number },
  ): void {
    const progress = this.#progressOf(group, { topicId, partition })
    if (memberEpoch < 0) progress?.resets(offset)
    else this.#guard(() => progress?.asks(offset, memberId))
  }

  async #fetch(
    request: FetchRequest,
    next: (request: FetchRequest) => Promise<FetchAnswer | undefined>,
  ): Promise<FetchAnswer | undefined> {
    const { groupId: group } = request
    const before = (request.partitions ?? []).map((at) => this.#progressOf(group, at)?.committed)
    const answer = await next(request)
    for (const [index, result] of (answer?.results ?? []).entries()) {
      if (result.errorCode !== 0) continue
      const progress = this.#progressOf(group, result)
      // An administrator may have sent it back meanwhile.
      const floor = Math.min(before[index] ?? -1, progress?.committed ?? -1)
      this.#guard(() => checkRead(group, result, floor))
      progress?.keeps(result.offset)
    }
    return answer
  }

  /** Undefined: of a topic that nobody knows yet. */
  #progressOf(group: string, { topicId, partition }: At): Progress | undefined {
    const topic = this.#parts.topicOf(topicId)
    return topic === undefined ? undefined : this.#parts.ledger.progressOf(group, topic, partition)
  }

  #guard(oracle: () => void): void {
    try {
      oracle()
    } catch (error) {
      if (!(error instanceof Violation)) throw error
      this.#parts.accuse(error)
    }
  }
}

function checkRead(
  group: string,
  { topicId, partition, offset }: At & { offset: number },
  floor: number,
) {
  if (offset >= floor) return
  throw new Violation(
    'commit-regression',
    `${group} is told ${offset} of ${topicId}-${partition}, where ${floor} was committed`,
  )
}

// --- signatures ----------------------------------------------------------------------------------

type Signature = {
  readonly number: number
  readonly memberId: string
  readonly memberEpoch: number
}

function signed({ number, memberId, memberEpoch }: Signature): string {
  return `${number} ${memberEpoch} ${memberId}`
}

/** Who asked for the position that is kept with these words. */
export function signatureOf(metadata: string | null): Signature {
  const [number, memberEpoch, memberId = ''] = (metadata ?? '').split(' ')
  return { number: Number(number), memberEpoch: Number(memberEpoch), memberId }
}
