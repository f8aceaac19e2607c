// One broker and its clients, everything drawn from a seed: faults rage and the oracles hold (safety), then all is healed
// and within a minute everything that was promised is there (liveness). Source: TESTING, "Two phases".
// Enters: a seed. Leaves: whether all promises were kept, what happened, and the hash of the run.
import { sleep } from '@minikafka/platform'
import { verifyDirectory } from 'minikafka-broker'
import { createWorld, type World } from '../../src/world/index.ts'
import { administer, createTopics } from './administering.ts'
import { consume } from './consuming.ts'
import { BROKER, DATA_DIRECTORY, Daemon } from './daemon.ts'
import { Dice } from './dice.ts'
import { judge } from './judging.ts'
import { Ledger } from './ledger.ts'
import { lie } from './lying.ts'
import { heal, rage } from './nemesis.ts'
import { drawPlan, type Less, type Plan } from './plan.ts'
import { probe } from './probing.ts'
import { produce } from './producing.ts'
import type { Stage } from './stage.ts'
import { Timeline } from './timeline.ts'
import { Violation } from './violation.ts'
import { Watcher, watch } from './watching.ts'

export type RunOptions = {
  readonly less?: Less | undefined
  /** One line an event. */
  readonly trace?: ((line: string) => void) | undefined
}

export type Outcome = {
  readonly seed: number
  readonly violation: { readonly oracle: string; readonly message: string } | undefined
  /** Faults, records and work by name. */
  readonly counts: Readonly<Record<string, number>>
  readonly events: number
  readonly virtualMs: number
  /** How often each rare branch was taken that was reached. */
  readonly buggify: Readonly<Record<string, number>>
  readonly hash: string
  readonly timeline: readonly string[]
}

/** Healed, everything is right within this time. */
const LIVENESS_MS = 60_000
/** Derived, or never synced: what a power cut leaves of it, or what rots in it, is ignored or mends itself. */
const UNPROMISED = /\.(?:time)?index: |\/synced: position /
const ON_THE_WIRE = / {2}net |^\S+: socket /
const KERNEL_MS = 70_000
/** A sleep of the scenario itself. */
const OWN_TIMER = / {2}the test {2}timer/
/** An operator does not start it more often than that. */
const STARTS_MAX = 3
/** No run takes longer, whatever waits for whatever. */
const RUN_MS_MAX = 30 * 60_000

export async function runOneBroker(seed: number, options: RunOptions = {}): Promise<Outcome> {
  const plan = drawPlan(seed, options.less)
  const world = createWorld({
    seed,
    clock: 'jumping',
    diskLatency: plan.diskLatency,
    networkLatency: plan.networkLatency,
    buggify: plan.buggify,
    logLevel: 'info',
    trace: options.trace,
  })
  const run = new Run(world, plan)
  const violation = await run.violation()
  return {
    seed,
    violation: violation && { oracle: violation.oracle, message: violation.message },
    counts: Object.fromEntries(run.timeline.counts),
    events: world.eventCount,
    virtualMs: world.clock.monotonicMs(),
    buggify: Object.fromEntries(
      world.buggifyPoints().map(({ name, takenCount }) => [name, takenCount]),
    ),
    hash: world.hash(),
    timeline: run.timeline.lines(),
  }
}

class Run {
  readonly timeline: Timeline
  readonly #world: World
  readonly #stage: Stage
  readonly #watcher: Watcher
  #healing = false
  readonly #atWork = new Set<string>()
  #failure: Promise<never> = new Promise(() => undefined)
  #heal: () => void = () => undefined
  #over = false

  constructor(world: World, plan: Plan) {
    this.#world = world
    this.timeline = new Timeline(world.clock)
    const ledger = new Ledger(plan, () => world.clock.monotonicMs())
    this.#watcher = new Watcher(() => this.#stage)
    const daemon = new Daemon(world, plan.settings, {
      dice: new Dice(plan.seed, 'daemon'),
      restartMaxMs: plan.restartMaxMs,
      timeline: this.timeline,
      events: {
        ready: (broker) => this.#watcher.look(broker.partitions()),
        dies: (how, facts) => {
          if (how === 'power-cut') ledger.powerCut(facts)
        },
      },
    })
    const isHealing = () => this.#healing
    const healed = new Promise<void>((resolve) => {
      this.#heal = resolve
    })
    const calm = { fromMs: 0 }
    const onAdmin = new Set<() => void>()
    this.#stage = {
      world,
      plan,
      ledger,
      timeline: this.timeline,
      daemon,
      isHealing,
      healed,
      calm,
      onAdmin,
    }
  }

  /** undefined: every promise was kept. */
  async violation(): Promise<Violation | undefined> {
    try {
      const work = this.#play()
      await this.#world.complete(work, { timeout: RUN_MS_MAX, what: 'the end of the run' })
      this.#world.close()
      return undefined
    } catch (error) {
      return violationOf(error)
    } finally {
      this.#end()
    }
  }

  async #play(): Promise<void> {
    const { daemon, plan } = this.#stage
    const watching = watch(this.#stage, this.#watcher, () => this.#over)
    this.#world.clockOf(BROKER).drift(plan.driftPpm)
    this.#failure = failureOf([watching, daemon.supervise()])
    await this.#soon(createTopics(this.#stage), 'the topics made')
    const nemesis = plan.faults.map((fault) => rage(this.#stage, fault))
    const all = Promise.all([...this.#clients(), ...nemesis])
    await Promise.race([sleep(this.#world.clock, plan.safetyMs), failureOf([all]), this.#failure])
    this.timeline.add('run', 'healed')
    this.#healing = true
    this.#heal()
    heal(this.#stage)
    await this.#soon(Promise.all(nemesis), 'the end of the faults')
    await calm(this.#stage)
    await this.#soon(untilServing(this.#stage), 'the broker ready')
    await this.#soon(all, 'every request answered, everything read')
    await this.#soon(judge(this.#stage, this.#world.env('judge')), 'the log read')
    await this.#soon(probe(this.#stage, this.#world.env('probe')), 'the probe')
    this.#over = true
    await watching
    const isDone = await this.#soon(daemon.stop(), 'the broker stopped')
    if (!isDone) throw new Violation('liveness', 'a healthy broker did not stop in order')
    await this.#lookBehind()
  }

  #clients(): Promise<void>[] {
    const { plan } = this.#stage
    const stage = this.#stage
    return [
      ...plan.producers.map((one) => this.#named(one.name, produce(stage, one))),
      ...plan.consumers.map((one) => this.#named(one.name, consume(stage, one))),
      ...(plan.lieMs === undefined ? [] : [this.#named('the liar', lie(stage, plan.lieMs))]),
      ...plan.admin.map(({ kind, meanMs }) => this.#named(kind, administer(stage, kind, meanMs))),
    ]
  }

  async #named(name: string, work: Promise<void>): Promise<void> {
    this.#atWork.add(name)
    await work
    this.#atWork.delete(name)
  }

  /** Errors: Violation `liveness` where it takes longer than it may; what else has failed meanwhile. */
  #soon<T>(work: Promise<T>, what: string): Promise<T> {
    const told = () => {
      const partitions = this.#stage.daemon.broker?.partitions() ?? []
      const offline = partitions.filter((one) => one.offline !== undefined)
      const names = offline.map(
        ({ topic, partition, offline }) => `${topic}-${partition}: ${offline}`,
      )
      return [`${what}; at work: ${[...this.#atWork].join(', ')}`, ...names].join('\n')
    }
    return within(this.#world, LIVENESS_MS, Promise.race([work, this.#failure]), told)
  }

  /** Nothing is left over, and the data directory is in order. */
  async #lookBehind(): Promise<void> {
    const env = this.#world.env(BROKER)
    const { rots } = this.#stage.plan
    const problems: string[] = []
    for await (const { text, problem } of verifyDirectory(env, DATA_DIRECTORY, { deep: true })) {
      if (problem && !UNPROMISED.test(text)) problems.push(text)
    }
    if (problems.length > 0 && !rots) throw new Violation('verify', problems.join('\n'))
    this.#checkLeftovers((line) => !ON_THE_WIRE.test(line))
    // The last packets of who is gone: kernels give up after a minute.
    await sleep(this.#world.clock, KERNEL_MS)
    this.#checkLeftovers(() => true)
  }

  #checkLeftovers(counts: (line: string) => boolean): void {
    const leftovers = this.#world
      .leftovers()
      .filter((line) => !OWN_TIMER.test(line) && counts(line))
    if (leftovers.length > 0) throw new Violation('leftover', leftovers.join('\n'))
  }

  #end(): void {
    for (const node of [BROKER, 'judge', 'probe', 'liar', 'admin']) this.#world.kill(node)
    try {
      this.#world.close()
    } catch {
      // The first failure of the world was told already.
    }
  }
}

/** What waited for a fault goes on, also where the fault is over. */
async function calm({ world, calm: { fromMs } }: Stage): Promise<void> {
  await sleep(world.clock, Math.max(0, fromMs - world.clock.monotonicMs()))
}

/** A partition that a failed read or a full disk took out of service comes back with the next start. */
async function untilServing({ world, daemon, plan, timeline }: Stage): Promise<void> {
  for (let starts = 0; ; starts++) {
    while (daemon.broker === undefined) await sleep(world.clock, 20)
    const offline = daemon.broker.partitions().find((one) => one.offline !== undefined)
    if (plan.rots || offline === undefined) return
    if (starts === STARTS_MAX)
      throw new Violation(
        'unreadable',
        `${offline.topic}-${offline.partition} stays offline: ${offline.offline}`,
      )
    timeline.add('run', 'a partition is offline: the operator starts the broker anew')
    await daemon.restart()
  }
}

/** Settles only where one of them fails. */
function failureOf(works: readonly Promise<unknown>[]): Promise<never> {
  return new Promise((_, reject) => {
    for (const work of works) work.catch(reject)
  })
}

/** Errors: Violation `liveness` after so much virtual time. */
async function within<T>(
  { clock }: World,
  forMs: number,
  work: Promise<T>,
  what: () => string,
): Promise<T> {
  return await new Promise((resolve, reject) => {
    const timer = clock.timer(forMs, () => {
      const waits = clock.pending().slice(0, 15)
      const message = `not within ${forMs} ms: ${what()}; what waits:`
      reject(new Violation('liveness', [message, ...waits].join('\n')))
    })
    work.then(resolve, reject).finally(() => timer.cancel())
  })
}

/** Whatever else was thrown: the code under test is wrong, or this scenario is. */
function violationOf(error: unknown): Violation {
  if (error instanceof Violation) return error
  const { stack } = error instanceof Error ? error : new Error(String(error))
  return new Violation('crash', stack ?? String(error), { cause: error })
}
