// The play of every scenario, everything drawn from a seed: faults rage and the oracles hold (safety), then all is healed
// and soon everything that was promised is there (liveness). Source: TESTING, "Two phases".
// Enters: a world, and a scenario that plays in it. Leaves: nothing, or the promise that was broken.
import { sleep } from '@minikafka/platform'
import { verifyDirectory } from 'minikafka-broker'
import type { World } from '../../src/world/index.ts'
import { BROKER, DATA_DIRECTORY } from './daemon.ts'
import type { FaultPlan } from './fault-kinds.ts'
import { heal, rage } from './nemesis.ts'
import type { Phases } from './phases.ts'
import type { Stage } from './stage.ts'
import { Violation } from './violation.ts'
import { type Watcher, watch } from './watching.ts'

export type Scenario = {
  readonly stage: Stage
  readonly watcher: Watcher
  readonly phases: Phases
  readonly plan: {
    /** How long the faults rage. */
    readonly safetyMs: number
    readonly faults: readonly FaultPlan[]
    /** How fast or slow time runs for the broker. */
    readonly driftPpm: number
    /** Records may become unreadable: what is asked is that the broker says so. */
    readonly rots: boolean
  }
  /** Healed, everything is right within this time. */
  readonly livenessMs: number
  /** What is not right yet, for who waits for it; undefined: nobody knows. */
  missing?(): string | undefined
  /** Rejects with what an oracle saw that nobody waits for. */
  readonly broken: Promise<never>
  prepare(): Promise<void>
  /** Everybody who works beside the faults, by name; each is done when nothing is half done any more. */
  begin(): readonly Work[]
  /** One after the other, when the faults are over and everybody is done. */
  readonly looks: readonly Work<() => Promise<void>>[]
  /** The broker has stopped in order. */
  lookBehind(): Promise<void>
  /** Healed: whatever the scenario did to others than the broker ends. */
  heal(): void
  /** Their processes end with the run. */
  readonly nodes: readonly string[]
}

export type Work<W = Promise<void>> = { readonly name: string; readonly work: W }

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

export class Play {
  readonly #world: World
  readonly #scenario: Scenario
  readonly #atWork = new Set<string>()
  #failure: Promise<never>
  #over = false

  constructor(world: World, scenario: Scenario) {
    this.#world = world
    this.#scenario = scenario
    this.#failure = scenario.broken
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
    const { stage, plan, watcher, phases, looks, broken } = this.#scenario
    const { daemon, timeline } = stage
    const watching = watch(stage, watcher, () => this.#over)
    this.#world.clockOf(BROKER).drift(plan.driftPpm)
    this.#failure = failureOf([watching, daemon.supervise(), broken])
    await this.#soon(this.#scenario.prepare(), 'the topics made')
    const nemesis = plan.faults.map((fault) => rage(stage, fault))
    const all = Promise.all([...this.#begin(), ...nemesis])
    await Promise.race([sleep(this.#world.clock, plan.safetyMs), failureOf([all]), this.#failure])
    timeline.add('run', 'healed')
    phases.heal()
    heal(stage)
    this.#scenario.heal()
    await this.#soon(Promise.all(nemesis), 'the end of the faults')
    await calm(stage)
    await this.#soon(untilServing(stage, plan.rots), 'the broker ready')
    await this.#soon(all, 'every request answered, everything read')
    for (const { name, work } of looks) await this.#soon(work(), name)
    this.#over = true
    await watching
    const isDone = await this.#soon(daemon.stop(), 'the broker stopped')
    if (!isDone) throw new Violation('liveness', 'a healthy broker did not stop in order')
    await this.#lookBehind()
    await this.#scenario.lookBehind()
  }

  #begin(): Promise<void>[] {
    return this.#scenario.begin().map(({ name, work }) => this.#named(name, work))
  }

  async #named(name: string, work: Promise<void>): Promise<void> {
    this.#atWork.add(name)
    await work
    this.#atWork.delete(name)
  }

  /** Errors: Violation `liveness` where it takes longer than it may; what else has failed meanwhile. */
  #soon<T>(work: Promise<T>, what: string): Promise<T> {
    const told = () => {
      const partitions = this.#scenario.stage.daemon.broker?.partitions() ?? []
      const offline = partitions.filter((one) => one.offline !== undefined)
      const names = offline.map(
        ({ topic, partition, offline }) => `${topic}-${partition}: ${offline}`,
      )
      const missing = this.#scenario.missing?.()
      const lines = missing === undefined ? names : [...names, `missing: ${missing}`]
      return [`${what}; at work: ${[...this.#atWork].join(', ')}`, ...lines].join('\n')
    }
    const { livenessMs } = this.#scenario
    return within(this.#world, livenessMs, Promise.race([work, this.#failure]), told)
  }

  /** Nothing is left over, and the data directory is in order. */
  async #lookBehind(): Promise<void> {
    const env = this.#world.env(BROKER)
    const { rots } = this.#scenario.plan
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
    for (const node of [BROKER, ...this.#scenario.nodes]) this.#world.kill(node)
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
async function untilServing({ world, daemon, timeline }: Stage, rots: boolean): Promise<void> {
  for (let starts = 0; ; starts++) {
    while (daemon.broker === undefined) await sleep(world.clock, 20)
    const offline = daemon.broker.partitions().find((one) => one.offline !== undefined)
    if (rots || offline === undefined) return
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
