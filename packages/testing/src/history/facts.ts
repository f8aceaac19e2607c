// The whole history, sorted by partition: one pass over the sends, one over the polls, one over the acknowledgements.
// Enters: acts. Leaves: facts by partition; what no later look can see (phantoms, own values) is found on the way.
import { type Act, stepsOf } from './act.ts'
import type { Anomalies, Anomaly, AnomalyKind } from './anomaly.ts'
import type { Partition, Polled, Value } from './operation.ts'
import { PartitionFacts, type Write } from './partition-facts.ts'

export type Facts = {
  readonly acts: readonly Act[]
  readonly partitions: ReadonlyMap<Partition, PartitionFacts>
  /** Transactions of which an `ok` poll holds a value. */
  readonly seen: ReadonlySet<Act>
  /** Records of all polls together. */
  readonly polledCount: number
}

export function gatherFacts(acts: readonly Act[], anomalies: Anomalies): Facts {
  const gathering = new Gathering(anomalies)
  for (const act of acts) gathering.sends(act)
  for (const act of acts) gathering.polls(act)
  for (const act of acts) gathering.acknowledged(act)
  const { partitions, seen, polledCount } = gathering
  for (const partition of partitions.values()) partition.order()
  return { acts, partitions, seen, polledCount }
}

/** `ok`, or doubtful and seen by somebody. A transaction is one write; other sends stand for themselves. */
export function isProven({ seen }: Pick<Facts, 'seen'>, { act, okReader }: Write): boolean {
  if (act.outcome !== 'info') return act.outcome === 'ok'
  return okReader !== undefined || seen.has(act)
}

class Gathering {
  readonly partitions = new Map<Partition, PartitionFacts>()
  readonly seen = new Set<Act>()
  polledCount = 0
  readonly #anomalies: Anomalies

  constructor(anomalies: Anomalies) {
    this.#anomalies = anomalies
  }

  sends(act: Act): void {
    for (const step of stepsOf(act)) {
      if (!('send' in step)) continue
      const { writes, name } = this.#partition(step.send)
      const { value, offset } = step
      if (writes.has(value)) {
        throw new RangeError(
          `operation ${act.began} sends ${JSON.stringify(value)} to ${name}, as an earlier one did: values tell records apart`,
        )
      }
      writes.set(value, {
        act,
        value,
        offset,
        reader: undefined,
        okReader: undefined,
        firstIndex: -1,
        lastIndex: -1,
      })
    }
  }

  polls(act: Act): void {
    for (const step of stepsOf(act)) {
      if (!('poll' in step)) continue
      const partition = this.#partition(step.poll)
      for (const record of step.records) this.#polled(act, partition, record)
      this.polledCount += step.records.length
      if (act.operation.final === true) partition.final = valuesOf(step.records)
    }
  }

  /** What is not proven may have got its offset from a broker that never kept it. */
  acknowledged(act: Act): void {
    if (act.outcome === 'fail') return
    for (const step of stepsOf(act)) {
      if (!('send' in step) || step.offset === undefined) continue
      const partition = this.#partition(step.send)
      const write = partition.writes.get(step.value)
      if (write !== undefined && isProven(this, write)) {
        partition.place(step.offset, step.value, act)
      }
    }
  }

  #polled(act: Act, partition: PartitionFacts, { offset, value }: Polled): void {
    partition.place(offset, value, act)
    const write = partition.writes.get(value)
    if (write === undefined) {
      const words = 'was read, and nobody sent it'
      this.#anomalies.add(findingAt('phantom', words, partition, offset, value, act))
      return
    }
    if (write.act === act) {
      const words = 'was read by its own transaction, before that was committed'
      this.#anomalies.add(findingAt('precommitted-read', words, partition, offset, value, act))
      return
    }
    write.reader ??= act
    if (act.outcome !== 'ok') return
    write.okReader ??= act
    if (write.act.call === 'transaction') this.seen.add(write.act)
  }

  #partition(name: Partition): PartitionFacts {
    let partition = this.partitions.get(name)
    if (partition === undefined) {
      partition = new PartitionFacts(name)
      this.partitions.set(name, partition)
    }
    return partition
  }
}

function findingAt(
  kind: AnomalyKind,
  words: string,
  { name }: PartitionFacts,
  offset: number,
  value: Value,
  { operation }: Act,
): Anomaly {
  const text = `${name}@${offset}: ${JSON.stringify(value)} ${words}`
  return { kind, text, partition: name, offset, value, operations: [operation] }
}

function valuesOf(records: readonly Polled[]): ReadonlySet<Value> {
  return new Set(records.map(({ value }) => value))
}
