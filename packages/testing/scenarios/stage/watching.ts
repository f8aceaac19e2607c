// The white-box oracles: what every partition must be at every moment. Looked at now and then, at every start, and in the
// end. Enters: where partitions stand. Leaves: nothing, or the invariant that is broken (REPLICATION 2.0).
import { sleep } from '@minikafka/platform'
import type { PartitionFacts } from 'minikafka-broker'
import type { Stage } from './stage.ts'
import { Violation } from './violation.ts'

const LOOK_MS = 100

/** Until the run ends. */
export async function watch(stage: Stage, watcher: Watcher, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    watcher.look(stage.daemon.broker?.partitions() ?? [])
    await sleep(stage.world.clock, LOOK_MS)
  }
}

type Before = { readonly leaderEpoch: number; readonly logStartOffset: number }

export class Watcher {
  readonly #isFlushGroup: (topic: string) => boolean
  readonly #before = new Map<string, Before>()

  /** `isFlushGroup`: nothing of the topic is committed before it is on the disk. */
  constructor(isFlushGroup: (topic: string) => boolean) {
    this.#isFlushGroup = isFlushGroup
  }

  look(facts: readonly PartitionFacts[]): void {
    for (const one of facts) {
      if (one.offline !== undefined) continue
      this.#bounds(one)
      this.#epochs(one)
      this.#monotone(one)
    }
  }

  #bounds(facts: PartitionFacts): void {
    const { logStartOffset, lastStableOffset, highWatermark, logEndOffset, durableEndOffset } =
      facts
    const inOrder =
      logStartOffset <= lastStableOffset &&
      lastStableOffset <= highWatermark &&
      highWatermark <= logEndOffset &&
      durableEndOffset <= logEndOffset
    if (!inOrder) throw broken('I8', 'log start <= LSO <= HW <= LEO, durable LEO <= LEO', facts)
    if (highWatermark > durableEndOffset && this.#isFlushGroup(facts.topic))
      throw broken('I8', 'with flush=group HW <= durable LEO', facts)
  }

  #epochs(facts: PartitionFacts): void {
    for (const [index, { epoch, startOffset }] of facts.epochs.entries()) {
      const before = facts.epochs[index - 1]
      if (before && (epoch <= before.epoch || startOffset <= before.startOffset))
        throw broken('I9', 'the epoch cache grows in epoch and start offset', facts)
    }
  }

  #monotone(facts: PartitionFacts): void {
    const key = `${facts.topicId}-${facts.partition}`
    const before = this.#before.get(key)
    if (before && facts.leaderEpoch !== -1 && before.leaderEpoch > facts.leaderEpoch)
      throw broken('I7', `the leader epoch was ${before.leaderEpoch}`, facts)
    if (before && before.logStartOffset > facts.logStartOffset)
      throw broken('I7', `the log start was ${before.logStartOffset}`, facts)
    this.#before.set(key, {
      leaderEpoch: Math.max(before?.leaderEpoch ?? -1, facts.leaderEpoch),
      logStartOffset: facts.logStartOffset,
    })
  }
}

function broken(oracle: string, what: string, facts: PartitionFacts): Violation {
  return new Violation(oracle, `${what}: ${JSON.stringify(facts)}`)
}
