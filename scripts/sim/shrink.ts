// Makes a failing run smaller while it still fails: without kinds of faults and of work, then with fewer members, producers,
// topics and records. Enters: a seed that fails. Leaves: the smallest of its runs that was found, and how it ends.
import type { Worker } from './pool.ts'
import { type Less, type Outcome, type ScenarioName, scenarioOf } from './scenarios.ts'

export type Shrunk = { readonly less: Less; readonly outcome: Outcome; readonly runs: number }

const RUNS_MAX = 60

/** A run that fails otherwise is another fault: only the same oracle counts. */
export async function shrink(
  worker: Worker,
  name: ScenarioName,
  first: Outcome,
  given: Less,
): Promise<Shrunk> {
  const { seed, violation } = first
  const scenario = scenarioOf(name)
  let best: Shrunk = { less: given, outcome: first, runs: 0 }
  let runs = 0
  const tries = async (less: Less): Promise<boolean> => {
    if (runs >= RUNS_MAX) return false
    runs++
    const outcome = await worker.run({ scenario: name, seed, less })
    if (outcome.violation?.oracle !== violation?.oracle) return false
    best = { less, outcome, runs }
    return true
  }
  for (const left of scenario.namesIn(seed, given))
    await tries({ ...best.less, without: [...(best.less.without ?? []), left] })
  for (const [part, length] of scenario.partsIn(seed, best.less)) {
    for (let count = 1; count < length; count++)
      if (await tries({ ...best.less, [part]: count })) break
  }
  for (let records = scenario.recordsIn(seed, best.less) >> 1; records > 0; records >>= 1)
    if (!(await tries({ ...best.less, records }))) break
  return { ...best, runs }
}
