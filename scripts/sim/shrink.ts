// Makes a failing run smaller while it still fails: without kinds of faults and of work, then with fewer producers, topics
// and records. Enters: a seed that fails. Leaves: the smallest of its runs that was found, and how it ends.
import {
  ALL_FAULT_KINDS,
  adminKinds,
  drawPlan,
  type Less,
  type Outcome,
} from '../../packages/testing/scenarios/one-broker/index.ts'
import type { Worker } from './pool.ts'

export type Shrunk = { readonly less: Less; readonly outcome: Outcome; readonly runs: number }

const RUNS_MAX = 60

/** A run that fails otherwise is another fault: only the same oracle counts. */
export async function shrink(worker: Worker, first: Outcome, given: Less): Promise<Shrunk> {
  const { seed, violation } = first
  let best: Shrunk = { less: given, outcome: first, runs: 0 }
  let runs = 0
  const tries = async (less: Less): Promise<boolean> => {
    if (runs >= RUNS_MAX) return false
    runs++
    const outcome = await worker.run({ seed, less })
    if (outcome.violation?.oracle !== violation?.oracle) return false
    best = { less, outcome, runs }
    return true
  }
  for (const name of namesIn(seed, given))
    await tries({ ...best.less, without: [...(best.less.without ?? []), name] })
  for (const part of ['producers', 'topics'] as const) {
    const { length } = drawPlan(seed, best.less)[part]
    for (let count = 1; count < length; count++)
      if (await tries({ ...best.less, [part]: count })) break
  }
  for (let records = mostRecords(seed, best.less) >> 1; records > 0; records >>= 1)
    if (!(await tries({ ...best.less, records }))) break
  return { ...best, runs }
}

/** What this plan has and can do without. */
function namesIn(seed: number, less: Less): string[] {
  const plan = drawPlan(seed, less)
  const has = new Set<string>([...plan.faults, ...plan.admin].map(({ kind }) => kind))
  const names = [...ALL_FAULT_KINDS, ...adminKinds].filter((kind) => has.has(kind))
  const parts = [
    plan.consumers.length > 0 ? ['consumers'] : [],
    plan.buggify ? ['buggify'] : [],
    plan.lieMs === undefined ? [] : ['lies'],
    plan.driftPpm === 0 ? [] : ['drift'],
  ]
  return [...names, ...parts.flat()]
}

function mostRecords(seed: number, less: Less): number {
  return Math.max(...drawPlan(seed, less).producers.map(({ records }) => records))
}
