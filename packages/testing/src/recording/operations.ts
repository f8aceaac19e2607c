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
  const lines: Line[] = []
  for (const entry of entries) {
    if (entry.kind === 'sent') lines.push(...linesOfSend(entry, identities))
    else if (entry.kind === 'polled') lines.push(...linesOfPoll(entry, identities, wholes))
    else {
      const { process, began } = entry
      const operation = { process, type: 'ok', call: 'assign', steps: [] } as const
      lines.push(lineOf(began, { ...operation, rebalanced: entry.partitions }))
    }
  }
  return lines.sort((a, b) => a.order - b.order).map(({ operation }) => operation)
}

type Line = { readonly order: number; readonly operation: Operation }

function lineOf({ order, timeMs }: Moment, operation: Omit<Operation, 'timeMs'>): Line {
  return { order, operation: { ...operation, timeMs } }
}

/** None for what was refused before anybody knew what it says. */
function linesOfSend(entry: SentEntry, identities: Identities): Line[] {
  const identity = identities.ofSend(entry)
  if (identity === undefined) return []
  const { id, plain, began, ended, outcome, offset } = entry
  const { partition, value, isGuess } = identity
  // A process of its own: nothing is known of its order.
  const process = isGuess ? -1 - id : entry.process
  const operation = { process, id, call: 'send', plain } as const
  const asked = { ...operation, type: 'invoke', steps: [{ send: partition, value }] } as const
  if (ended === undefined) return [lineOf(began, asked)]
  const steps = [{ send: partition, value, offset }]
  return [lineOf(began, asked), lineOf(ended, { ...operation, type: outcome, steps })]
}

function linesOfPoll(entry: PolledEntry, identities: Identities, wholes: WholeReads): Line[] {
  const { process, began, ended, unordered } = entry
  const names = [...entry.partitions.keys()]
  const steps = [...entry.partitions.values()].map(({ topic, partition, records }) => ({
    poll: partitionName(topic, partition),
    records: records.map(({ offset, value }) => ({
      offset,
      value: identities.ofPlace(topic, partition, offset, value),
    })),
  }))
  const final = wholes.isFinal(entry)
  if (final) steps.push(...wholes.emptyOf(entry).map((poll) => ({ poll, records: [] })))
  const operation = { process, call: 'poll' } as const
  const moved = unordered ? { rebalanced: names } : {}
  return [
    lineOf(began, { ...operation, type: 'invoke', steps: [] }),
    lineOf(ended, { ...operation, type: 'ok', steps, ...moved, ...(final ? { final } : {}) }),
  ]
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
