// What goes wrong, and when. Each kind of fault has a loop and dice of its own, so that leaving one out does not shift
// the others. Enters: the plan's faults. Leaves: a world that is whole again, once they are over.
import { sleep } from '@minikafka/platform'
import { BROKER, DATA_DIRECTORY } from './daemon.ts'
import { Dice } from './dice.ts'
import type { FaultKind, FaultPlan } from './plan.ts'
import { sealedSegments } from './sealed.ts'
import type { Stage } from './stage.ts'

const HOUR_MS = 3_600_000
const CHECK_INTERVAL = 'log.retention.check.interval.ms'

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
  world.resume(BROKER)
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
    let hear = () => {}
    const acked = new Promise<void>((resolve) => {
      hear = resolve
    })
    ledger.onAck.add(hear)
    const count = ledger.ackedCount
    await Promise.race([acked, unlessHealing(stage, 2000)])
    ledger.onAck.delete(hear)
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
  pause: async (stage, dice) => {
    const { world, timeline } = stage
    const forMs = dice.scale(50, 20_000)
    timeline.add('nemesis', `SIGSTOP for ${forMs} ms`)
    world.pause(BROKER)
    await unlessHealing(stage, forMs)
    timeline.add('nemesis', 'SIGCONT')
    world.resume(BROKER)
  },
  'clock-jump': async (stage, dice) => {
    const { world, plan, timeline } = stage
    const hours = dice.pick([1, 4, 48, -1, -4])
    timeline.add('nemesis', `the wall clock jumps by ${hours} h`)
    world.clockOf(BROKER).jump(hours * HOUR_MS)
    // Right again before retention looks twice: what it then deletes it deletes on the word of a clock that is set.
    await unlessHealing(stage, dice.scale(50, Number(plan.settings[CHECK_INTERVAL]) * 0.7))
    world.clockOf(BROKER).jump(-hours * HOUR_MS)
  },
  'fail-write': ({ world, timeline }) => {
    timeline.add('nemesis', 'the next write fails')
    world.disk(BROKER).failWrite(1, DATA_DIRECTORY)
  },
  'fail-read': ({ world, timeline }, dice) => {
    timeline.add('nemesis', 'the next reads fail')
    world.disk(BROKER).failRead(dice.pick([1, 3]), DATA_DIRECTORY)
  },
  'fail-directory-sync': ({ world, daemon, timeline }) => {
    timeline.add('nemesis', 'the next sync of a directory fails')
    // ext4, XFS and Btrfs take a file system whose metadata cannot be written out of service: what follows is a mount.
    daemon.mountsAnew = true
    world.disk(BROKER).failDirectorySync(1, DATA_DIRECTORY)
  },
  rot,
  'rot-index': rotIndex,
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

/** A byte that has been on the disk for long: below what a recovery point says that a power cut would leave. */
function rot({ world, daemon, timeline }: Stage, dice: Dice): void {
  const disk = world.disk(BROKER)
  const sealed = sealedSegments(disk, daemon.broker?.partitions() ?? [])
  if (sealed.length === 0) return
  const { path, size } = dice.pick(sealed)
  const position = dice.below(size)
  timeline.add('nemesis', `a bit rots at byte ${position} of ${path}`)
  timeline.count('rotten bits')
  disk.flipBit(path, position, dice.below(8))
}

/** What is derived is found out and made anew, or does no harm. */
function rotIndex({ world, timeline }: Stage, dice: Dice): void {
  const disk = world.disk(BROKER)
  const indexes = disk
    .files(DATA_DIRECTORY)
    .filter(({ path, size }) => /index$/.test(path) && size > 0)
  if (indexes.length === 0) return
  const { path, size } = dice.pick(indexes)
  timeline.add('nemesis', `a bit rots in ${path}`)
  disk.flipBit(path, dice.below(size), dice.below(8))
}

function clientsOf({ plan }: Stage): string[] {
  return [...plan.producers, ...plan.consumers].map(({ name }) => name)
}

async function unlessHealing({ world, healed }: Stage, forMs: number): Promise<void> {
  await Promise.race([sleep(world.clock, forMs), healed])
}
