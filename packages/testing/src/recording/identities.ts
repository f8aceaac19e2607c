// Which record is which, where several say the same: a topic may get `paid` a thousand times.
// Enters: what was sent and what was read. Leaves: a value for each send, another one for each of the same partition,
// and the value of what stands at an offset.
// A send that was acknowledged owns its offset. What else says the same belongs to whoever may have written it: one
// that was flushed first, then one with a doubtful outcome, then one that was refused, which is an anomaly; what is
// left is there twice. Records that say the same are exchangeable, so that nothing innocent is accused.
import type { Polled } from '../history/index.ts'
import { type PolledPartition, partitionName, type SentEntry } from './entries.ts'

export type Identity = {
  readonly partition: string
  readonly value: string
  /** Where it stands is a guess, which says nothing about order. */
  readonly isGuess: boolean
}

type Place = { readonly partition: number; readonly offset: number }

export class Identities {
  readonly #sends = new Map<SentEntry, Identity>()
  readonly #classes: ReadonlyMap<string, unknown>
  /** By topic and content, then by partition and offset; where one send alone says it, nothing is kept. */
  readonly #shared = new Map<string, Map<number, string>>()

  constructor(sent: readonly SentEntry[], polled: readonly PolledPartition[]) {
    const classes = classesOf(sent)
    this.#classes = classes
    const unclear = new Map([...classes].filter(([, sends]) => !isClear(sends)))
    const places = placesOf(unclear, polled)
    for (const [key, sends] of classes) {
      const first = sends[0] as SentEntry
      if (!unclear.has(key)) this.#own(first, first.partition, first.content ?? '', false)
      else this.#share(key, sends, places.get(key) ?? [])
    }
  }

  ofSend(entry: SentEntry): Identity | undefined {
    return this.#sends.get(entry)
  }

  /** Records by what they are, where they were told by what they say. */
  ofRecords({ topic, partition, records }: PolledPartition): readonly Polled[] {
    if (this.#shared.size === 0) return records
    return records.map((record) => {
      const { offset, value } = record
      const shared = this.#shared.get(classKey(topic, value))?.get(placeKey({ partition, offset }))
      return shared === undefined || shared === value ? record : { offset, value: shared }
    })
  }

  #share(key: string, sends: readonly SentEntry[], places: readonly Place[]): void {
    const values = new Map<number, string>()
    this.#shared.set(key, values)
    const claims = new Claims()
    for (const [index, entry] of sends.entries()) {
      const value = this.#valueOf(entry, index)
      const { partition, offset } = entry
      if (partition === undefined || offset === undefined) claims.add({ entry, value })
      else {
        values.set(placeKey({ partition, offset }), value)
        this.#own(entry, partition, value, false)
      }
    }
    for (const place of places) {
      if (values.has(placeKey(place))) continue
      const claim = claims.take(place.partition)
      if (claim !== undefined) {
        values.set(placeKey(place), claim.value)
        this.#own(claim.entry, place.partition, claim.value, sends.length > 1)
      }
    }
    for (const { entry, value } of claims.left()) this.#own(entry, entry.partition, value, true)
    this.#fillUp(sends, places, values)
  }

  /** Nobody is left who may have written these: they are there twice. */
  #fillUp(sends: readonly SentEntry[], places: readonly Place[], values: Map<number, string>) {
    const owners = new Map<string, string>()
    for (const entry of sends) {
      const identity = this.#sends.get(entry)
      if (identity !== undefined && entry.outcome !== 'fail') {
        if (!owners.has(identity.partition)) owners.set(identity.partition, identity.value)
      }
    }
    const topic = sends[0]?.topic ?? ''
    for (const place of places) {
      const owner = owners.get(partitionName(topic, place.partition))
      if (owner !== undefined && !values.has(placeKey(place))) values.set(placeKey(place), owner)
    }
  }

  /** What no other record of the topic says. */
  #valueOf({ topic, content = '' }: SentEntry, index: number): string {
    let value = index === 0 ? content : `${content} (${index + 1})`
    while (index > 0 && this.#classes.has(classKey(topic, value))) value += '*'
    return value
  }

  #own(entry: SentEntry, partition: number | undefined, value: string, isGuess: boolean): void {
    this.#sends.set(entry, { partition: partitionName(entry.topic, partition), value, isGuess })
  }
}

/** Those of a class that own no offset, by how likely they wrote, then by partition. */
class Claims {
  readonly #ranks: readonly Map<number | undefined, Claim[]>[] = [new Map(), new Map(), new Map()]

  add(claim: Claim): void {
    const rank = this.#ranks[RANKS[claim.entry.outcome]]
    const { partition } = claim.entry
    const queue = rank?.get(partition)
    if (queue === undefined) rank?.set(partition, [claim])
    else queue.push(claim)
  }

  take(partition: number): Claim | undefined {
    for (const rank of this.#ranks) {
      const claim = rank.get(partition)?.shift() ?? rank.get(undefined)?.shift()
      if (claim !== undefined) return claim
    }
    return undefined
  }

  left(): Claim[] {
    return this.#ranks.flatMap((rank) => [...rank.values()].flat())
  }
}

type Claim = { readonly entry: SentEntry; readonly value: string }

const RANKS = { ok: 0, info: 1, fail: 2 }

function classesOf(sent: readonly SentEntry[]): Map<string, SentEntry[]> {
  const classes = new Map<string, SentEntry[]>()
  for (const entry of sent) {
    if (entry.content === undefined) continue
    const key = classKey(entry.topic, entry.content)
    const sends = classes.get(key)
    if (sends === undefined) classes.set(key, [entry])
    else sends.push(entry)
  }
  return classes
}

/** One send alone says it, and it is known where. */
function isClear(sends: readonly SentEntry[]): boolean {
  return sends.length === 1 && sends[0]?.partition !== undefined
}

/** Where each unclear content was read, in order. */
function placesOf(
  unclear: ReadonlyMap<string, unknown>,
  polled: readonly PolledPartition[],
): Map<string, Place[]> {
  const found = new Map<string, Map<number, Place>>()
  for (const { topic, partition, records } of unclear.size === 0 ? [] : polled) {
    for (const { offset, value } of records) {
      const key = classKey(topic, value)
      if (!unclear.has(key)) continue
      let places = found.get(key)
      if (places === undefined) {
        places = new Map()
        found.set(key, places)
      }
      const place = { partition, offset }
      places.set(placeKey(place), place)
    }
  }
  const inOrder = (a: Place, b: Place) => a.partition - b.partition || a.offset - b.offset
  return new Map([...found].map(([key, places]) => [key, [...places.values()].sort(inOrder)]))
}

function classKey(topic: string, content: string): string {
  return `${topic}\n${content}`
}

/** A number is a cheaper key than a text. A topic has at most so many partitions, and offsets stay below 2^39. */
const PARTITIONS_MAX = 10_000

function placeKey({ partition, offset }: Place): number {
  return offset * PARTITIONS_MAX + partition
}
