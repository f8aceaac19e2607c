// Order as one client sees it: its sends to a partition stand in the order of their beginnings, its polls go on where
// they ended. Source: jepsen.tests.kafka (poll-skip, nonmonotonic-poll, nonmonotonic-send and their int- variants).
import { type Act, rebalancedIn, stepsOf } from './act.ts'
import type { Anomalies, AnomalyKind } from './anomaly.ts'
import type { Facts } from './facts.ts'
import type { Operation, Partition, Polled } from './operation.ts'
import type { PartitionFacts } from './partition-facts.ts'

/** How far a client got in a partition, and when. */
type Position = { readonly index: number; readonly offset: number; readonly act: Act }

/** By process, then by partition. */
class Positions {
  readonly #byProcess = new Map<number, Map<Partition, Position>>()

  of(process: number): Map<Partition, Position> {
    let positions = this.#byProcess.get(process)
    if (positions === undefined) {
      positions = new Map()
      this.#byProcess.set(process, positions)
    }
    return positions
  }
}

// --- polls ---------------------------------------------------------------------------------------

/** `forgets`: partitions whose old records may be gone: there a step forward is no skip. */
export function checkPolls(
  facts: Facts,
  anomalies: Anomalies,
  forgets: ReadonlySet<Partition>,
): void {
  const positions = new Positions()
  /** A rebalance may move them at any time (KIP-848), so what stands between two of their polls proves nothing. */
  const subscribed = new Set<number>()
  for (const act of facts.acts) {
    if (act.call === 'subscribe') subscribed.add(act.process)
    if (act.call === 'assign') subscribed.delete(act.process)
    const ofProcess = positions.of(act.process)
    if (act.call === 'crash') ofProcess.clear()
    for (const partition of rebalancedIn(act)) ofProcess.delete(partition)
    const follow = new PollFollower(facts, anomalies, forgets, act, subscribed.has(act.process))
    for (const step of stepsOf(act)) {
      if ('poll' in step) follow.records(ofProcess, step.poll, step.records)
    }
  }
}

class PollFollower {
  readonly #facts: Facts
  readonly #anomalies: Anomalies
  readonly #forgets: ReadonlySet<Partition>
  readonly #act: Act
  readonly #subscribed: boolean
  readonly #moved: ReadonlySet<Partition>

  constructor(
    facts: Facts,
    anomalies: Anomalies,
    forgets: ReadonlySet<Partition>,
    act: Act,
    subscribed: boolean,
  ) {
    this.#facts = facts
    this.#anomalies = anomalies
    this.#forgets = forgets
    this.#act = act
    this.#subscribed = subscribed
    this.#moved = new Set(rebalancedIn(act))
  }

  records(positions: Map<Partition, Position>, name: Partition, records: readonly Polled[]): void {
    const partition = this.#facts.partitions.get(name)
    if (partition === undefined || records.length === 0) return
    let before = positions.get(name)
    for (const { offset } of records) {
      const here = { index: partition.indexOf(offset), offset, act: this.#act }
      if (before !== undefined) this.#compare(partition, before, here)
      before = here
    }
    // Who failed may go back, or not: where the next poll begins is open.
    if (before !== undefined && this.#act.outcome === 'ok') positions.set(name, before)
    else positions.delete(name)
  }

  #compare(partition: PartitionFacts, before: Position, here: Position): void {
    const step = here.index - before.index
    if (step === 1) return
    const inside = before.act === here.act
    if (inside ? this.#moved.has(partition.name) : this.#subscribed) return
    if (step > 1 && this.#forgets.has(partition.name)) return
    const kind = step > 1 ? 'poll-skip' : 'nonmonotonic-poll'
    const skipped = partition.places[before.index + 1]
    const words =
      step > 1 ? `skips ${skipped?.offset} (${JSON.stringify(skipped?.value)})` : 'goes back'
    const text = `process ${here.act.process} ${words}: ${partition.name}@${here.offset} after ${before.offset}`
    report(this.#anomalies, kind, text, partition.name, before, here)
  }
}

// --- sends ---------------------------------------------------------------------------------------

export function checkSends(facts: Facts, anomalies: Anomalies): void {
  const positions = new Positions()
  for (const act of facts.acts) {
    if (act.outcome === 'fail' || act.operation.plain === true) continue
    const ofProcess = positions.of(act.process)
    if (act.call === 'crash') ofProcess.clear()
    for (const step of stepsOf(act)) {
      if (!('send' in step)) continue
      const partition = facts.partitions.get(step.send)
      const index = indexOfSend(partition, step)
      if (partition === undefined || index === -1) continue
      const here = { index, offset: partition.places[index]?.offset ?? -1, act }
      const before = ofProcess.get(step.send)
      if (before !== undefined && index <= before.index) {
        const text = `process ${act.process} sent ${partition.name}@${here.offset} after ${before.offset}`
        report(anomalies, 'nonmonotonic-send', text, partition.name, before, here)
      }
      ofProcess.set(step.send, here)
    }
  }
}

/** Where it was acknowledged; of a doubtful one, where it was seen. -1: nowhere. */
function indexOfSend(
  partition: PartitionFacts | undefined,
  { value, offset }: Extract<Operation['steps'][number], { send: Partition }>,
): number {
  const acknowledged = offset === undefined ? -1 : (partition?.indexOf(offset) ?? -1)
  if (acknowledged !== -1) return acknowledged
  return partition?.writes.get(value)?.firstIndex ?? -1
}

function report(
  anomalies: Anomalies,
  kind: 'poll-skip' | 'nonmonotonic-poll' | 'nonmonotonic-send',
  text: string,
  partition: Partition,
  before: Position,
  here: Position,
): void {
  const inside = before.act === here.act
  anomalies.add({
    kind: inside ? (`int-${kind}` satisfies AnomalyKind) : kind,
    text,
    ...{ partition, offset: here.offset },
    operations: inside ? [here.act.operation] : [before.act.operation, here.act.operation],
  })
}
