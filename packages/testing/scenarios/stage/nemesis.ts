// What goes wrong, and when. Each kind of fault has a loop and dice of its own, so that leaving one out does not shift
// the others. Enters: the plan's faults. Leaves: a world that is whole again, once they are over.
import { sleep } from '@minikafka/platform'
import { BROKER, DATA_DIRECTORY } from './daemon.ts'
import { Dice } from './dice.ts'
import type { FaultKind, FaultPlan } from './fault-kinds.ts'
import { settledPlaces } from './settled-places.ts'
import type { Stage } from './stage.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const MOMENT_MS = 2000
const NEAR_END = 2000
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
    if (!(await moment(stage, stage.onAck))) return
    if (dice.chance(0.5)) await sleep(stage.world.clock, dice.below(3))
    stage.timeline.add('nemesis', 'power cut right after an acknowledgement')
    stage.daemon.powerCut()
  },
  'cut-on-admin': async (stage, dice) => {
    if (!(await moment(stage, stage.onAdmin))) return
    await sleep(stage.world.clock, dice.scale(1, 100))
    stage.timeline.add('nemesis', 'power cut in the middle of administration')
    stage.daemon.powerCut()
  },
  /** What was written is acknowledged to nobody: all of it comes again. */
  'lose-answers': async (stage, dice) => {
    const { world, writers, daemon, timeline } = stage
    timeline.add('nemesis', 'no answer reaches those who write')
    for (const name of writers) world.network.cut(BROKER, name, { oneWay: true })
    // Now and then what comes again finds that it is not on the disk yet.
    if (dice.chance(0.5)) stallFor(stage, dice.scale(200, 4000))
    await unlessHealing(stage, dice.scale(20, 1500))
    const how = dice.pick(['restart', 'kill', 'disconnect'] as const)
    timeline.add('nemesis', how)
    if (how === 'restart') await daemon.restart()
    else if (how === 'kill') daemon.kill()
    else world.network.disconnectAll(BROKER)
    world.network.heal()
  },
  restart: async ({ daemon, timeline }) => {
    timeline.add('nemesis', 'restart')
    await daemon.restart()
  },
  stall: async (stage, dice) => {
    const forMs = dice.scale(50, 12_000)
    stage.timeline.add('nemesis', `the disk stalls for ${forMs} ms`)
    stallFor(stage, forMs)
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
    const node = dice.pick(stage.clients)
    const [from, to] = dice.chance(0.5) ? [node, BROKER] : [BROKER, node]
    const oneWay = dice.chance(0.5)
    timeline.add('nemesis', `cut ${from} ${oneWay ? '->' : '<->'} ${to}`)
    world.network.cut(from, to, { oneWay })
    await unlessHealing(stage, dice.scale(100, 15_000))
    timeline.add('nemesis', 'all links carry again')
    world.network.heal()
  },
  'thin-link': async (stage, dice) => {
    const { world, timeline } = stage
    const nodes = dice.chance(0.5) ? stage.clients : [dice.pick(stage.clients)]
    const bytesPerSecond = dice.scale(300, 15_000)
    timeline.add('nemesis', `${nodes.join(', ')}: ${bytesPerSecond} bytes a second`)
    for (const node of nodes) world.network.throttle(node, BROKER, bytesPerSecond)
    await unlessHealing(stage, dice.scale(1000, 12_000))
    for (const node of nodes) world.network.mend(node, BROKER)
  },
  clog: async (stage, dice) => {
    const { world, timeline } = stage
    const node = dice.pick(stage.clients)
    const [from, to] = dice.chance(0.5) ? [node, BROKER] : [BROKER, node]
    const forMs = dice.scale(50, 5000)
    timeline.add('nemesis', `nothing from ${from} reaches ${to} for ${forMs} ms`)
    world.network.clog(from, to, forMs)
    await unlessHealing(stage, forMs)
  },
  loss: async (stage, dice) => {
    const { world, timeline } = stage
    const node = dice.pick(stage.clients)
    const share = dice.between(1, 30)
    timeline.add('nemesis', `${share} % of what ${node} and the broker say is lost`)
    world.network.lose(node, BROKER, share / 100)
    await unlessHealing(stage, dice.scale(200, 8000))
    world.network.mend(node, BROKER)
  },
  'half-open': (stage, dice) => {
    const node = dice.pick(stage.clients)
    stage.timeline.add('nemesis', `the broker forgets ${node}, which knows nothing of it`)
    stage.world.network.halfOpen(BROKER, node)
  },
  mute: async (stage, dice) => {
    const { world } = stage
    stage.timeline.add('nemesis', 'the broker accepts and never answers')
    world.network.mute(BROKER)
    await unlessHealing(stage, dice.scale(100, 5000))
    world.network.rejoin(BROKER)
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
    // No jump goes to where another one went: a clock that says the same at two looks in a row is believed.
    const hours = dice.pick([4, 48, 4, 48, 1, -1, -4])
    const byMs = hours * HOUR_MS + timeline.countOf('fault clock-jump') * 3 * MINUTE_MS
    timeline.add('nemesis', `the wall clock jumps by ${byMs / HOUR_MS} h`)
    world.clockOf(BROKER).jump(byMs)
    // Right again before retention looks twice: what it then deletes it deletes on the word of a clock that is set.
    const intervalMs = Number(plan.settings[CHECK_INTERVAL])
    await unlessHealing(stage, (dice.between(2, 9) / 10) * intervalMs)
    world.clockOf(BROKER).jump(-byMs)
  },
  'fail-write': ({ world, timeline }) => {
    timeline.add('nemesis', 'the next write fails')
    world.disk(BROKER).failWrite(1, DATA_DIRECTORY)
  },
  'fail-read': ({ world, timeline }, dice) => {
    timeline.add('nemesis', 'the next reads fail')
    world.disk(BROKER).failRead(dice.pick([1, 3]), DATA_DIRECTORY)
  },
  'fail-directory-sync': ({ world, timeline }) => {
    timeline.add('nemesis', 'the next sync of a directory fails')
    world.disk(BROKER).failDirectorySync(1, DATA_DIRECTORY)
  },
  rot,
  'rot-index': rotIndex,
  'slow-link': async (stage, dice) => {
    const { world, timeline } = stage
    const node = dice.pick(stage.clients)
    const byMs = dice.scale(10, 2000)
    timeline.add('nemesis', `${node} is ${byMs} ms farther away`)
    world.network.slow(node, BROKER, byMs)
    await unlessHealing(stage, dice.scale(100, 8000))
    world.network.slow(node, BROKER, 0)
  },
}

function stallFor({ world, calm }: Stage, forMs: number): void {
  world.disk(BROKER).stall(forMs)
  // What has begun to wait does so also when the disk is healed.
  calm.fromMs = Math.max(calm.fromMs, world.clock.monotonicMs() + forMs)
}

/** A byte that has been on the disk for long: below what a recovery point says that a power cut would leave. */
function rot({ world, daemon, timeline }: Stage, dice: Dice): void {
  const disk = world.disk(BROKER)
  const places = settledPlaces(disk, daemon.broker?.partitions() ?? [])
  if (places.length === 0) return
  // Of each partition the last place is the one that a start looks through.
  const { path, size } = dice.pick(places)
  const position = dice.chance(0.5)
    ? dice.below(size)
    : size - 1 - dice.below(Math.min(size, NEAR_END))
  timeline.add('nemesis', `a bit rots at byte ${position} of ${path}`)
  timeline.count('rotten bits')
  disk.flipBit(path, position, dice.below(8))
  if (dice.chance(0.4)) daemon.kill()
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

/** Resolves when it comes; false: it did not come for a while. */
async function moment(stage: Stage, moments: Set<() => void>): Promise<boolean> {
  let hasCome = false
  let hear = () => {}
  const come = new Promise<void>((resolve) => {
    hear = () => {
      hasCome = true
      resolve()
    }
  })
  moments.add(hear)
  await Promise.race([come, unlessHealing(stage, MOMENT_MS)])
  moments.delete(hear)
  return hasCome && !stage.isHealing()
}

async function unlessHealing({ world, healed }: Stage, forMs: number): Promise<void> {
  await Promise.race([sleep(world.clock, forMs), healed])
}
