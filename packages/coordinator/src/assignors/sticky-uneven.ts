// `sticky` where members subscribe to different topics: each keeps what it may, the rest goes to the least loaded, then
// single partitions move as long as that evens the load. Source: Kafka UniformHeterogeneousAssignmentBuilder, simpler.
import type { TopicFacts } from '../groups/contract.ts'
import type { PartitionKey } from '../groups/partitions.ts'
import {
  type AssigningMember,
  type Assignment,
  keysOfTopic,
  type Previous,
  previousOwners,
  subscribersOf,
  topicsOf,
} from './assignor.ts'

/** A load that has to pass through many members needs a pass for each: it comes nearer with every assignment. */
const PASSES_MAX = 16

export function stickyUneven(members: readonly AssigningMember[], previous: Previous): Assignment {
  const loads = new Loads(members)
  const owners = previousOwners(members, previous)
  for (const topic of topicsOf(members).sort(loads.fullestFirst)) {
    const rest = keysOfTopic(topic).filter((key) => !loads.keep(topic, key, owners.get(key)))
    loads.later(topic, rest)
  }
  loads.deal()
  for (let pass = 0; pass < PASSES_MAX; pass++) {
    const moved = loads.even()
    const returned = loads.giveBack()
    if (!moved && !returned) break
  }
  return new Map(members.map(({ memberId }, index) => [memberId, new Set(loads.heldBy(index))]))
}

class Loads {
  readonly #subscribers: ReadonlyMap<string, readonly number[]>
  readonly #counts: number[]
  /** By member, by topic id. What was given last stands last, and is the first to go: it stirs nobody. */
  readonly #held: readonly Map<string, PartitionKey[]>[]
  /** Of what a member had, and still subscribes to: its index. */
  readonly #owners = new Map<PartitionKey, number>()
  readonly #pool: { readonly topic: TopicFacts; readonly keys: readonly PartitionKey[] }[] = []

  constructor(members: readonly AssigningMember[]) {
    this.#subscribers = subscribersOf(members)
    this.#counts = members.map(() => 0)
    this.#held = members.map(() => new Map())
  }

  /** Most partitions per subscriber first: who has the choice, chooses later. */
  readonly fullestFirst = (a: TopicFacts, b: TopicFacts): number =>
    this.#fullness(b) - this.#fullness(a) || (a.topicId < b.topicId ? -1 : 1)

  #fullness({ topicId, partitionCount }: TopicFacts): number {
    return partitionCount / (this.#subscribers.get(topicId) ?? []).length
  }

  /** False: nobody that still subscribes had it. */
  keep({ topicId }: TopicFacts, key: PartitionKey, owner: number | undefined): boolean {
    if (owner === undefined || !this.#subscribers.get(topicId)?.includes(owner)) return false
    this.#owners.set(key, owner)
    this.#give(owner, topicId, key)
    return true
  }

  later(topic: TopicFacts, keys: readonly PartitionKey[]): void {
    this.#pool.push({ topic, keys })
  }

  /** Each of the rest to the least loaded of its subscribers. */
  deal(): void {
    for (const { topic, keys } of this.#pool) {
      for (const key of keys) this.#give(this.#leastLoaded(topic.topicId), topic.topicId, key)
    }
  }

  /** One pass. False: nothing moved, so nothing will. */
  even(): boolean {
    const heaviestFirst = [...this.#counts.keys()].sort(
      (a, b) => this.#count(b) - this.#count(a) || a - b,
    )
    let moved = false
    for (const from of heaviestFirst) {
      for (const [topicId, keys] of this.#held[from] ?? []) {
        if (this.#unload(from, topicId, keys)) moved = true
      }
    }
    return moved
  }

  /** What moved, and would weigh no more where it was: others moved after it. False: nothing did. */
  giveBack(): boolean {
    let returned = false
    for (const [index, byTopic] of this.#held.entries()) {
      for (const [topicId, keys] of byTopic) {
        for (const key of [...keys]) {
          const owner = this.#owners.get(key) ?? index
          if (this.#count(owner) >= this.#count(index)) continue
          keys.splice(keys.indexOf(key), 1)
          this.#counts[index] = this.#count(index) - 1
          this.#give(owner, topicId, key)
          returned = true
        }
      }
    }
    return returned
  }

  heldBy(index: number): PartitionKey[] {
    return [...(this.#held[index]?.values() ?? [])].flat()
  }

  #unload(from: number, topicId: string, keys: PartitionKey[]): boolean {
    let moved = false
    while (keys.length > 0) {
      const to = this.#leastLoaded(topicId)
      // A difference of one would only turn around.
      if (this.#count(from) - this.#count(to) <= 1) break
      this.#give(to, topicId, keys.pop() as PartitionKey)
      this.#counts[from] = this.#count(from) - 1
      moved = true
    }
    return moved
  }

  #give(index: number, topicId: string, key: PartitionKey): void {
    const byTopic = this.#held[index] as Map<string, PartitionKey[]>
    const keys = byTopic.get(topicId)
    if (keys === undefined) byTopic.set(topicId, [key])
    else keys.push(key)
    this.#counts[index] = this.#count(index) + 1
  }

  #leastLoaded(topicId: string): number {
    let least = -1
    for (const index of this.#subscribers.get(topicId) ?? []) {
      if (least === -1 || this.#count(index) < this.#count(least)) least = index
    }
    return least
  }

  #count(index: number): number {
    return this.#counts[index] as number
  }
}
