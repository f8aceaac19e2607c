// How far behind readers were, and who never got an answer: measures, no verdicts.
// Source: jepsen.tests.kafka (realtime-lag).
import { type Act, stepsOf } from './act.ts'
import type { Facts } from './facts.ts'
import type { Operation, Partition } from './operation.ts'

/** The poll of `process` that began at `atMs` did not return what was known to be there for `lagMs`. */
export type Lag = {
  readonly lagMs: number
  readonly atMs: number
  readonly process: number
  readonly partition: Partition
}

/** An operation that had no end when the history ended. */
export type Stuck = { readonly sinceMs: number; readonly operation: Operation }

export function stuckIn(history: readonly Operation[], { acts }: Facts): Stuck[] {
  const endMs = history.at(-1)?.timeMs ?? 0
  const open = acts.filter(({ ended, call }) => ended === Infinity && call !== 'crash')
  return open.map(({ operation, beganMs }) => ({ sinceMs: endMs - beganMs, operation }))
}

/** Undefined: no poll lacked anything that was known before it began. */
export function worstLag({ acts }: Facts): Lag | undefined {
  const known = knownEnds(acts)
  const positions = new Map<string, number>()
  let worst: Lag | undefined
  for (const act of acts) {
    if (act.outcome !== 'ok') continue
    for (const step of stepsOf(act)) {
      if (!('poll' in step)) continue
      const key = `${act.process} ${step.poll}`
      const offset = step.records.at(-1)?.offset ?? positions.get(key)
      if (offset === undefined) continue
      positions.set(key, offset)
      const sinceMs = known.get(step.poll)?.firstAbove(offset)
      if (sinceMs === undefined) continue
      const lagMs = act.beganMs - sinceMs
      if (lagMs <= (worst?.lagMs ?? 0)) continue
      worst = { lagMs, atMs: act.beganMs, process: act.process, partition: step.poll }
    }
  }
  return worst
}

/** When which offset was first known to exist: by an acknowledgement, or by a poll that returned it. */
function knownEnds(acts: readonly Act[]): Map<Partition, KnownEnd> {
  const ends = new Map<Partition, KnownEnd>()
  const finished = acts.filter(({ outcome }) => outcome === 'ok')
  for (const act of finished.sort((a, b) => a.ended - b.ended)) {
    for (const step of stepsOf(act)) {
      const [partition, offset] =
        'poll' in step ? [step.poll, step.records.at(-1)?.offset] : [step.send, step.offset]
      if (offset === undefined) continue
      let end = ends.get(partition)
      if (end === undefined) {
        end = new KnownEnd()
        ends.set(partition, end)
      }
      end.add(offset, act.endedMs)
    }
  }
  return ends
}

class KnownEnd {
  /** Both only grow. */
  readonly #offsets: number[] = []
  readonly #timesMs: number[] = []

  add(offset: number, atMs: number): void {
    if (offset <= (this.#offsets.at(-1) ?? -1)) return
    this.#offsets.push(offset)
    this.#timesMs.push(atMs)
  }

  firstAbove(offset: number): number | undefined {
    let low = 0
    let high = this.#offsets.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#offsets[middle] ?? 0) > offset) high = middle
      else low = middle + 1
    }
    return this.#timesMs[low]
  }
}
