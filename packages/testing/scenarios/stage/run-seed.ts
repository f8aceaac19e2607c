// A world for one seed, and a scenario played in it. Enters: a plan, and who makes the scenario of it.
// Leaves: whether all promises were kept, what happened, and the hash of the run.
import { createWorld, type World, type WorldOptions } from '../../src/world/index.ts'
import type { Outcome, RunOptions } from './outcome.ts'
import { Phases } from './phases.ts'
import { Play, type Scenario } from './play.ts'
import { Timeline } from './timeline.ts'

type WorldPlan = Pick<WorldOptions, 'seed' | 'diskLatency' | 'networkLatency' | 'buggify'>

export type Ground = {
  readonly world: World
  readonly timeline: Timeline
  readonly phases: Phases
}

export async function runSeed(
  { seed, diskLatency, networkLatency, buggify }: WorldPlan,
  { trace }: RunOptions,
  scenarioOn: (ground: Ground) => Scenario,
): Promise<Outcome> {
  const drawn = { seed, diskLatency, networkLatency, buggify }
  const world = createWorld({ ...drawn, clock: 'jumping', logLevel: 'info', trace })
  const timeline = new Timeline(world.clock)
  const scenario = scenarioOn({ world, timeline, phases: new Phases() })
  const violation = await new Play(world, scenario).violation()
  return {
    seed,
    violation: violation && { oracle: violation.oracle, message: violation.message },
    counts: Object.fromEntries(timeline.counts),
    events: world.eventCount,
    virtualMs: world.clock.monotonicMs(),
    buggify: Object.fromEntries(
      world.buggifyPoints().map(({ name, takenCount }) => [name, takenCount]),
    ),
    hash: world.hash(),
    timeline: timeline.lines(),
  }
}
