// One broker and its clients, everything drawn from a seed: settings, topics, producers, consumers, administrators, liars.
// Enters: a seed. Leaves: whether all promises were kept, what happened, and the hash of the run.
import { Daemon } from '../stage/daemon.ts'
import { Dice } from '../stage/dice.ts'
import type { Outcome, RunOptions } from '../stage/outcome.ts'
import type { Scenario, Work } from '../stage/play.ts'
import { type Ground, runSeed } from '../stage/run-seed.ts'
import { Watcher } from '../stage/watching.ts'
import { administer, createTopics } from './administering.ts'
import { consume } from './consuming.ts'
import { judge } from './judging.ts'
import { Ledger } from './ledger.ts'
import { lie } from './lying.ts'
import { drawPlan, type Plan } from './plan.ts'
import { probe } from './probing.ts'
import { produce } from './producing.ts'
import type { Stage } from './stage.ts'

const LIVENESS_MS = 60_000

export async function runOneBroker(seed: number, options: RunOptions = {}): Promise<Outcome> {
  const plan = drawPlan(seed, options.less)
  return await runSeed(plan, options, (ground) => scenarioOf(ground, plan))
}

function scenarioOf(ground: Ground, plan: Plan): Scenario {
  const { world, phases } = ground
  const ledger = new Ledger(plan, () => world.clock.monotonicMs())
  const watcher = new Watcher((topic) => ledger.life(topic).plan.flush === 'group')
  const stage = stageOf(ground, plan, ledger, watcher)
  return {
    ...{ stage, watcher, phases, plan },
    livenessMs: LIVENESS_MS,
    broken: new Promise(() => undefined),
    prepare: () => createTopics(stage),
    begin: () => worksOf(stage),
    looks: [
      { name: 'the log read', work: () => judge(stage, world.env('judge')) },
      { name: 'the probe', work: () => probe(stage, world.env('probe')) },
    ],
    lookBehind: async () => undefined,
    heal() {},
    nodes: ['judge', 'probe', 'liar', 'admin'],
  }
}

function stageOf(
  { world, timeline, phases }: Ground,
  plan: Plan,
  ledger: Ledger,
  watcher: Watcher,
): Stage {
  const daemon = new Daemon(world, plan.settings, {
    dice: new Dice(plan.seed, 'daemon'),
    restartMaxMs: plan.restartMaxMs,
    timeline,
    events: {
      ready: (broker) => watcher.look(broker.partitions()),
      dies: (how, facts) => {
        if (how === 'power-cut') ledger.powerCut(facts)
      },
    },
  })
  const writers = plan.producers.map(({ name }) => name)
  return {
    ...{ world, plan, ledger, timeline, daemon, writers },
    clients: [...writers, ...plan.consumers.map(({ name }) => name)],
    onAck: ledger.onAck,
    onAdmin: new Set(),
    isHealing: phases.isHealing,
    healed: phases.healed,
    calm: { fromMs: 0 },
  }
}

function worksOf(stage: Stage): Work[] {
  const { plan } = stage
  return [
    ...plan.producers.map((one) => ({ name: one.name, work: produce(stage, one) })),
    ...plan.consumers.map((one) => ({ name: one.name, work: consume(stage, one) })),
    ...(plan.lieMs === undefined ? [] : [{ name: 'the liar', work: lie(stage, plan.lieMs) }]),
    ...plan.admin.map(({ kind, meanMs }) => ({
      name: kind,
      work: administer(stage, kind, meanMs),
    })),
  ]
}
