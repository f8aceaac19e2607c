// A recording as the history that the checker reads: beginnings and ends in their order.
import type { Operation } from '../history/index.ts'
import {
  type Entry,
  type Moment,
  type PolledEntry,
  partitionName,
  type SentEntry,
} from './entries.ts'
import { Identities } from './identities.ts'

export function operationsOf(entries: readonly Entry[]): Operation[] {
  const sent = entries.filter((entry) => entry.kind === 'sent')
  const polled = entries.filter((entry) => entry.kind === 'polled')
  const partitions = polled.flatMap((entry) => [...entry.partitions.values()])
  const identities = new Identities(sent, partitions)
  const wholes = new WholeReads(sent, polled)
  const timeline = new Timeline()
  for (const entry of entries) {
    if (entry.kind === 'sent') addSend(timeline, entry, identities)
    else if (entry.kind === 'polled') addPoll(timeline, entry, identities, wholes)
    else timeline.add(entry.began, entry.process, 'ok', 'assign', [], entry.partitions)
  }
  return timeline.operations()
}

/** Every moment has an order of its own, which is its place; some are nobody's. */
class Timeline {
  readonly #operations: (Operation | undefined)[] = []

  // One literal for all: a history has millions, and objects of one shape are made and read fast.
  add(
    { order, timeMs }: Moment,
    process: number,
    type: Operation['type'],
    call: Operation['call'],
    steps: Operation['steps'],
    rebalanced?: Operation['rebalanced'],
    id?: number,
    plain?: boolean,
    final?: boolean,
  ): void {
    while (this.#operations.length <= order) this.#operations.push(undefined)
    const operation = { process, timeMs, type, call, steps, rebalanced, id, plain, final }
    this.#operations[order] = operation
  }

  operations(): Operation[] {
    return this.#operations.filter((operation) => operation !== undefined)
  }
}

/** Nothing for what was refused before anybody knew what it says. */
function addSend(timeline: Timeline, entry: SentEntry, identities: Identities): void {
  const identity = identities.ofSend(entry)
  if (identity === undefined) return
  const { id, plain, began, ended, outcome, offset } = entry
  const { partition, value, isGuess } = identity
  // A process of its own: nothing is known of its order.
  const process = isGuess ? -1 - id : entry.process
  const asked = [{ send: partition, value }]
  timeline.add(began, process, 'invoke', 'send', asked, undefined, id, plain)
  if (ended === undefined) return
  const steps = offset === undefined ? asked : [{ send: partition, value, offset }]
  timeline.add(ended, process, outcome, 'send', steps, undefined, id, plain)
}

function addPoll(
  timeline: Timeline,
  entry: PolledEntry,
  identities: Identities,
  wholes: WholeReads,
): void {
  const { process, began, ended, unordered } = entry
  const final = wholes.isFinal(entry)
  const steps = [...entry.partitions.values()].map((polled) => ({
    poll: partitionName(polled.topic, polled.partition),
    records: identities.ofRecords(polled),
  }))
  if (final) steps.push(...wholes.emptyOf(entry).map((poll) => ({ poll, records: [] })))
  const moved = unordered ? [...entry.partitions.keys()] : undefined
  timeline.add(began, process, 'invoke', 'poll', [])
  timeline.add(ended, process, 'ok', 'poll', steps, moved, undefined, undefined, final)
}

/** Reads of whole topics, which are final where nothing was acknowledged after their beginning. */
class WholeReads {
  /** By topic: order of the last acknowledgement. */
  readonly #lastAcked = new Map<string, number>()
  readonly #partitions = new Map<string, Set<string>>()

  constructor(sent: readonly SentEntry[], polled: readonly PolledEntry[]) {
    for (const { topic, partition, outcome, ended } of sent) {
      if (outcome !== 'ok' || ended === undefined) continue
      this.#lastAcked.set(topic, Math.max(this.#lastAcked.get(topic) ?? 0, ended.order))
      if (partition !== undefined) this.#know(topic, partition)
    }
    for (const { partitions } of polled) {
      for (const { topic, partition } of partitions.values()) this.#know(topic, partition)
    }
  }

  isFinal({ whole, began }: PolledEntry): boolean {
    return whole !== undefined && (this.#lastAcked.get(whole) ?? 0) < began.order
  }

  /** Partitions of the topic in which nothing was found. */
  emptyOf({ whole, partitions }: PolledEntry): string[] {
    const known = this.#partitions.get(whole ?? '') ?? []
    return [...known].filter((name) => !partitions.has(name))
  }

  #know(topic: string, partition: number): void {
    const known = this.#partitions.get(topic) ?? new Set()
    this.#partitions.set(topic, known.add(partitionName(topic, partition)))
  }
}
