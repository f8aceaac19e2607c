// What goes wrong, and when. Each kind of fault has a loop and dice of its own, so that leaving one out does not shift
// the others. Enters: the plan's faults. Leaves: a world that is whole again, once they are over.
import { sleep } from '@minikafka/platform'
import { BROKER } from './daemon.ts'
import { Dice } from './dice.ts'
import type { FaultKind, FaultPlan } from './plan.ts'
import type { Stage } from './stage.ts'

/** Resolves when the faults are over. */
export async function rage(stage: Stage, { kind, meanMs }: FaultPlan): Promise<void> {
  const { plan, timeline, isHealing } = stage
  const dice = new Dice(plan.seed, `fault ${kind}`)
  for (;;) {
    await unlessHealing(stage, dice.waitMs(meanMs))
    if (isHealing()) return
    timeline.count(`fault ${kind}`)
    await faults[kind](stage, dice)
  }
}

/** Everything carries, writes and runs again. */
export function heal({ world }: Stage): void {
  world.disk(BROKER).heal()
  world.network.heal()
}

type Fault = (stage: Stage, dice: Dice) => void | Promise<void>

const faults: Readonly<Record<FaultKind, Fault>> = {
  kill: ({ daemon, timeline }) => {
    timeline.add('nemesis', 'kill -9')
    daemon.kill()
  },
  'power-cut': ({ daemon, timeline }) => {
    timeline.add('nemesis', 'power cut')
    daemon.powerCut()
  },
  'cut-on-ack': async (stage, dice) => {
    const { ledger, daemon, timeline } = stage
    const acked = new Promise<void>((resolve) => {
      ledger.onAck = resolve
    })
    const count = ledger.ackedCount
    await Promise.race([acked, unlessHealing(stage, 2000)])
    ledger.onAck = () => undefined
    if (ledger.ackedCount === count || stage.isHealing()) return
    if (dice.chance(0.5)) await sleep(stage.world.clock, dice.below(3))
    timeline.add('nemesis', 'power cut right after an acknowledgement')
    daemon.powerCut()
  },
  restart: async ({ daemon, timeline }) => {
    timeline.add('nemesis', 'restart')
    await daemon.restart()
  },
  stall: async (stage, dice) => {
    const forMs = dice.scale(50, 12_000)
    stage.timeline.add('nemesis', `the disk stalls for ${forMs} ms`)
    stage.world.disk(BROKER).stall(forMs)
    // What has begun to wait does so also when the disk is healed.
    stage.calm.fromMs = Math.max(stage.calm.fromMs, stage.world.clock.monotonicMs() + forMs)
    await unlessHealing(stage, forMs)
  },
  fill: async (stage, dice) => {
    const { world, timeline } = stage
    const freeBytes = dice.pick([0, 100, 5000, 50_000])
    timeline.add('nemesis', `the disk is full but for ${freeBytes} bytes`)
    world.disk(BROKER).fill(freeBytes)
    await unlessHealing(stage, dice.scale(100, 6000))
    timeline.add('nemesis', 'the disk has room again')
    world.disk(BROKER).fill(2 ** 36)
  },
  'fail-sync': ({ world, timeline }, dice) => {
    const count = dice.pick([1, 1, 2, 5])
    timeline.add('nemesis', `the next ${count} syncs fail`)
    world.disk(BROKER).failSync(count)
  },
  disconnect: ({ world, timeline }) => {
    timeline.add('nemesis', 'every connection is reset')
    world.network.disconnectAll(BROKER)
  },
  'cut-link': async (stage, dice) => {
    const { world, timeline } = stage
    const node = dice.pick(clientsOf(stage))
    const [from, to] = dice.chance(0.5) ? [node, BROKER] : [BROKER, node]
    const oneWay = dice.chance(0.5)
    timeline.add('nemesis', `cut ${from} ${oneWay ? '->' : '<->'} ${to}`)
    world.network.cut(from, to, { oneWay })
    await unlessHealing(stage, dice.scale(100, 15_000))
    timeline.add('nemesis', 'all links carry again')
    world.network.heal()
  },
  'slow-link': async (stage, dice) => {
    const { world, timeline } = stage
    const node = dice.pick(clientsOf(stage))
    const byMs = dice.scale(10, 2000)
    timeline.add('nemesis', `${node} is ${byMs} ms farther away`)
    world.network.slow(node, BROKER, byMs)
    await unlessHealing(stage, dice.scale(100, 8000))
    world.network.slow(node, BROKER, 0)
  },
}

function clientsOf({ plan }: Stage): string[] {
  return [...plan.producers, ...plan.consumers].map(({ name }) => name)
}

async function unlessHealing({ world, healed }: Stage, forMs: number): Promise<void> {
  await Promise.race([sleep(world.clock, forMs), healed])
}
