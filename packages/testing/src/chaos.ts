// A nemesis for one test broker: fault after fault, drawn from the seed, each healed before the next.
// Enters: which kinds, how long. Leaves: what was done; the broker runs and nothing is wrong any more.
// It does what the settings promise to survive, no more: rot is not among it, for one broker has no other copy, and
// power cuts are only where every topic waits for its sync (`flush` is `group`).
import { type Clock, sleep } from '@minikafka/platform'
import type { TestBroker } from './test-broker.ts'
import { Generator } from './world/generator.ts'
import { type Duration, durationMs as durationMsOf } from './world/index.ts'

const chaosFaults = [
  'kill',
  'powerCut',
  'restart',
  'pause',
  'disconnectAll',
  'partition',
  'slow',
  'stall',
  'fill',
  'failSync',
  'clock',
] as const
export type ChaosFault = (typeof chaosFaults)[number]

export type ChaosOptions = {
  /** Which kinds. Default: all that the settings promise to survive, a part of them drawn. */
  readonly faults?: readonly ChaosFault[] | undefined
  /** Of the world. */
  readonly duration: Duration
}

/** What was done, in order. */
export type ChaosReport = {
  readonly faults: readonly { readonly kind: ChaosFault; readonly atMs: number }[]
}

/** What the nemesis needs to know of a test broker, besides its powers. */
export type ChaosGround = {
  readonly tcp: boolean
  readonly inMemory: boolean
  readonly syncsFirst: () => Promise<boolean>
}

/** Between two faults, and how long one lasts: from a blink to longer than a request may take. */
const PAUSE_MS = { min: 50, max: 3000 }
const FAULT_MS = { min: 1, max: 15_000 }
/** Above an hour the timestamps of clients would be refused (`log.message.timestamp.after.max.ms`). */
const JUMP_MS_MAX = 30 * 60_000
const SLOW_MS = { min: 10, max: 3000 }
const FREE_BYTES_MAX = 20_000

/** Beyond the duration: a fault that is being healed may hold up a start. */
const HEAL_MS_MAX = 10 * 60_000

export async function runChaos(
  broker: TestBroker,
  { faults, duration }: ChaosOptions,
  ground: ChaosGround,
): Promise<ChaosReport> {
  const durationMs = durationMsOf(duration)
  const { world, seed } = broker
  const { clock } = world.env('chaos')
  const dice = new Generator(seed, `chaos at ${clock.monotonicMs()}`)
  const survivable = await survivableBy(ground)
  const kinds = faults === undefined ? drawKinds(dice, survivable) : checked(faults, survivable)
  const raging = rage(broker, clock, dice, kinds, durationMs)
  return await world.complete(raging, {
    what: 'the end of the chaos',
    timeout: durationMs + HEAL_MS_MAX,
  })
}

async function rage(
  broker: TestBroker,
  clock: Clock,
  dice: Generator,
  kinds: readonly ChaosFault[],
  durationMs: number,
): Promise<ChaosReport> {
  const faults: { kind: ChaosFault; atMs: number }[] = []
  const beganMs = clock.monotonicMs()
  const wait = async (lengthMs: number) => {
    const leftMs = beganMs + durationMs - clock.monotonicMs()
    await sleep(clock, Math.max(0, Math.min(leftMs, lengthMs)))
    return leftMs > lengthMs
  }
  try {
    while (await wait(between(dice, PAUSE_MS))) {
      const kind = kinds[dice.below(kinds.length)] as ChaosFault
      faults.push({ kind, atMs: clock.monotonicMs() - beganMs })
      await strike[kind](broker, dice)
      await wait(between(dice, FAULT_MS))
      await heal(broker)
    }
    return { faults }
  } finally {
    await heal(broker)
  }
}

async function heal(broker: TestBroker): Promise<void> {
  await broker.heal()
  broker.clockOf(0).heal()
}

const strike: Readonly<
  Record<ChaosFault, (broker: TestBroker, dice: Generator) => void | Promise<void>>
> = {
  kill: (broker) => broker.kill(),
  powerCut: (broker) => broker.powerCut(),
  restart: (broker) => broker.restart(),
  pause: (broker) => broker.pause(),
  disconnectAll: (broker) => broker.disconnectAll(),
  partition(broker, dice) {
    const options = { oneWay: dice.chance(0.3) }
    if (dice.chance(0.5)) broker.partition('clients', 0, options)
    else broker.partition(0, 'clients', options)
  },
  slow: (broker, dice) => broker.slow('clients', 0, between(dice, SLOW_MS)),
  stall: (broker, dice) => broker.disk().stall(between(dice, FAULT_MS)),
  fill: (broker, dice) => broker.disk().fill(dice.below(FREE_BYTES_MAX)),
  failSync: (broker) => broker.disk().failSync(),
  clock(broker, dice) {
    const byMs = dice.below(JUMP_MS_MAX)
    broker.clockOf(0).jump(dice.chance(0.5) ? byMs : -byMs)
  },
}

async function survivableBy({ tcp, inMemory, syncsFirst }: ChaosGround): Promise<ChaosFault[]> {
  const kinds: ChaosFault[] = ['kill', 'restart', 'disconnectAll', 'clock']
  if (!tcp) kinds.push('pause', 'partition', 'slow')
  if (inMemory) kinds.push('stall', 'fill')
  if (inMemory && (await syncsFirst())) kinds.push('powerCut', 'failSync')
  return kinds
}

function checked(
  wanted: readonly ChaosFault[],
  survivable: readonly ChaosFault[],
): readonly ChaosFault[] {
  if (wanted.length === 0) throw new RangeError('chaos: faults is empty; leave it out for all')
  for (const kind of wanted) {
    if (survivable.includes(kind)) continue
    const why = chaosFaults.includes(kind)
      ? 'this broker cannot have it, or does not promise to survive it'
      : 'there is no such fault'
    throw new RangeError(`chaos: '${kind}': ${why}; possible are ${survivable.join(', ')}`)
  }
  return wanted
}

/** Small numbers are as likely as large ones: the logarithm is uniform. */
function between(dice: Generator, { min, max }: { min: number; max: number }): number {
  return Math.round(min * (max / min) ** dice.next())
}

/** Some of them: a run with all kinds hides what a run with two would show (swarm testing, Groce 2012). */
function drawKinds(dice: Generator, possible: readonly ChaosFault[]): ChaosFault[] {
  const drawn = possible.filter(() => dice.chance(0.5))
  return drawn.length > 0 ? drawn : [...possible]
}
