// The scenarios there are: how each is run, what its plans have, and what they can do without.
// Enters: a name. Leaves: the same questions for all of them, answered.
import * as groups from '../../packages/testing/scenarios/groups/index.ts'
import * as oneBroker from '../../packages/testing/scenarios/one-broker/index.ts'
import { ALL_FAULT_KINDS } from '../../packages/testing/scenarios/stage/fault-kinds.ts'
import type { Less, Outcome, RunOptions } from '../../packages/testing/scenarios/stage/outcome.ts'

export type { Less, Outcome }

export type Scenario = {
  run(seed: number, options: RunOptions): Promise<Outcome>
  plan(seed: number, less: Less): object
  /** Kinds of faults and of work, and other parts, in the order in which to try without them. */
  namesIn(seed: number, less: Less): string[]
  /** Of what there may be fewer, and how many there are. */
  partsIn(seed: number, less: Less): (readonly ['producers' | 'topics' | 'members', number])[]
  /** Of the producer that has most. */
  recordsIn(seed: number, less: Less): number
}

export const scenarios = {
  'one-broker': {
    run: oneBroker.runOneBroker,
    plan: oneBroker.drawPlan,
    namesIn(seed, less) {
      const plan = oneBroker.drawPlan(seed, less)
      const has = kindsOf([...plan.faults, ...plan.admin])
      return [
        ...[...ALL_FAULT_KINDS, ...oneBroker.adminKinds].filter((kind) => has.has(kind)),
        ...(plan.consumers.length > 0 ? ['consumers'] : []),
        ...(plan.topics.some(({ config }) => 'cleanup.policy' in config) ? ['compaction'] : []),
        ...(plan.buggify ? ['buggify'] : []),
        ...(plan.lieMs === undefined ? [] : ['lies']),
        ...(plan.driftPpm === 0 ? [] : ['drift']),
      ]
    },
    partsIn(seed, less) {
      const { producers, topics } = oneBroker.drawPlan(seed, less)
      return [
        ['producers', producers.length],
        ['topics', topics.length],
      ]
    },
    recordsIn: (seed, less) => mostOf(oneBroker.drawPlan(seed, less).producers),
  },
  groups: {
    run: groups.runGroups,
    plan: groups.drawPlan,
    namesIn(seed, less) {
      const plan = groups.drawPlan(seed, less)
      const has = kindsOf([...plan.faults, ...plan.moves])
      return [
        ...[...ALL_FAULT_KINDS, ...groups.MOVE_KINDS].filter((kind) => has.has(kind)),
        ...('log.roll.ms' in plan.settings ? ['compaction'] : []),
        ...(plan.buggify ? ['buggify'] : []),
        ...(plan.driftPpm === 0 ? [] : ['drift']),
      ]
    },
    partsIn(seed, less) {
      const { producers, topics, groups: drawn } = groups.drawPlan(seed, less)
      return [
        ['members', Math.max(...drawn.map(({ members }) => members.length))],
        ['producers', producers.length],
        ['topics', topics.length],
      ]
    },
    recordsIn: (seed, less) => mostOf(groups.drawPlan(seed, less).producers),
  },
} as const satisfies Readonly<Record<string, Scenario>>

export type ScenarioName = keyof typeof scenarios

export function scenarioOf(name: ScenarioName): Scenario {
  return scenarios[name]
}

function kindsOf(plans: readonly { readonly kind: string }[]): Set<string> {
  return new Set(plans.map(({ kind }) => kind))
}

function mostOf(producers: readonly { readonly records: number }[]): number {
  return Math.max(...producers.map(({ records }) => records))
}
