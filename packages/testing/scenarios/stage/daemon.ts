// The broker under a supervisor: started, killed in any state, also while it starts, and started again.
// Enters: settings, and what the nemesis does. Leaves: the broker while it is ready; news of its lives and deaths.
import { type Env, sleep } from '@minikafka/platform'
import { isMinikafkaError } from '@minikafka/protocol'
import {
  type Broker,
  LiveConfig,
  type PartitionFacts,
  startBroker,
  type Through,
} from 'minikafka-broker'
import type { World } from '../../src/world/index.ts'
import type { Dice } from './dice.ts'
import type { Timeline } from './timeline.ts'
import { Violation } from './violation.ts'

export const BROKER = 'broker-0'
export const DATA_DIRECTORY = '/var/lib/minikafka'
export const PORT = 9092

/** As the daemon exits when its disk failed: input/output error (sysexits.h). */
const EXIT_DISK_FAILED = 74
/** Names of errors with which a start may end. */
const OPERATING = ['StartError', 'DiskError', 'NotApplied', 'Unknown']

export type DaemonEvents = {
  /** The broker serves. */
  ready(broker: Broker): void
  /** It is about to die, and this is where its partitions stand. */
  dies(how: 'kill' | 'power-cut' | 'exit', facts: readonly PartitionFacts[]): void
}

type Life = { readonly env: Env; readonly gone: Promise<undefined>; readonly end: () => void }

export class Daemon {
  readonly #world: World
  readonly #config: ReadonlyMap<string, string>
  readonly #dice: Dice
  readonly #restartMaxMs: number
  readonly #timeline: Timeline
  readonly #events: DaemonEvents
  readonly #through: Through | undefined
  #broker: Broker | undefined
  /** Where partitions stood when a broker was last seen alive. */
  #lastFacts: readonly PartitionFacts[] = []
  #life: Life | undefined
  /** It was ready, and nobody has asked it to stop since: there is no mark of a clean stop. */
  #mustScan = false
  #stopping = false
  #supervising: Promise<void> | undefined

  constructor(
    world: World,
    settings: Readonly<Record<string, string | number>>,
    parts: {
      dice: Dice
      restartMaxMs: number
      timeline: Timeline
      events: DaemonEvents
      /** Sees each request on its way to the handlers, and its answer. */
      through?: Through
    },
  ) {
    this.#world = world
    this.#config = configOf(settings)
    this.#dice = parts.dice
    this.#restartMaxMs = parts.restartMaxMs
    this.#timeline = parts.timeline
    this.#events = parts.events
    this.#through = parts.through
  }

  /** Ready, and not about to go. */
  get broker(): Broker | undefined {
    return this.#broker
  }

  /** Starts it, and starts it again whenever it is gone, until it is stopped. Rejects where it fails as no disk explains. */
  supervise(): Promise<void> {
    this.#supervising = this.#supervise()
    return this.#supervising
  }

  kill(): void {
    if (this.#life === undefined) return
    this.#dies('kill')
    this.#world.kill(BROKER)
    this.#life.end()
  }

  /** Also of a machine on which no broker runs: what a killed one left in the page cache is at stake. */
  powerCut(): void {
    this.#dies('power-cut')
    this.#world.powerCut(BROKER)
    this.#life?.end()
  }

  /** As SIGTERM: finish, sync, mark; it may be killed meanwhile. True: all was done, in time. */
  async restart(): Promise<boolean> {
    const broker = this.#broker
    const life = this.#life
    if (broker === undefined || life === undefined) return false
    this.#broker = undefined
    this.#mustScan = false
    this.#timeline.add('broker', 'SIGTERM')
    const isDone = await Promise.race([broker.close(), life.gone])
    if (this.#life !== life) return false
    this.#lastFacts = broker.partitions()
    this.#events.dies('exit', this.#lastFacts)
    this.#timeline.add('broker', isDone ? 'stopped in order' : 'stopped, not all was done')
    life.env.program.exit(0)
    life.end()
    return isDone === true
  }

  /** For good. */
  async stop(): Promise<boolean> {
    this.#stopping = true
    const isDone = await this.restart()
    await this.#supervising
    return isDone
  }

  async #supervise(): Promise<void> {
    while (!this.#stopping) {
      await sleep(this.#world.clock, this.#dice.below(this.#restartMaxMs))
      if (this.#stopping) return
      this.#mountAnew()
      const life = this.#newLife()
      await this.#start(life)
      await life.gone
    }
  }

  #newLife(): Life {
    const env = this.#world.start(BROKER, { namesTimers: false })
    let end = () => {}
    const gone = new Promise<undefined>((resolve) => {
      end = () => {
        this.#life = undefined
        resolve(undefined)
      }
    })
    const life = { env, gone, end }
    this.#life = life
    return life
  }

  async #start(life: Life): Promise<void> {
    this.#timeline.add('broker', 'starts')
    try {
      const config = new LiveConfig({ flags: this.#config })
      const starting = startBroker(life.env, config, undefined, this.#through)
      // A dead process never settles.
      const broker = await Promise.race([starting, life.gone])
      if (broker === undefined || this.#life !== life) return
      if (this.#mustScan && broker.wasClean)
        throw new Violation(
          'unclean',
          'the broker died, and its next start believes that it was stopped in order',
        )
      this.#mustScan = true
      this.#broker = broker
      this.#timeline.add('broker', `ready, ${broker.wasClean ? 'clean' : 'recovered'}`)
      this.#timeline.count('starts')
      void broker.failed.then((error) => this.#exit(life, broker, error))
      this.#events.ready(broker)
    } catch (error) {
      if (!isOperating(error)) throw error
      this.#timeline.add('broker', `did not start: ${error.message.slice(0, 200)}`)
      if (this.#life !== life) return
      this.#world.kill(BROKER)
      life.end()
    }
  }

  /** As the daemon does when its disk failed. */
  async #exit(life: Life, broker: Broker, error: Error): Promise<void> {
    if (this.#life !== life) return
    this.#timeline.add('broker', `cannot go on: ${error.message.slice(0, 200)}`)
    this.#dies('exit')
    await Promise.race([broker.close({ clean: false }), life.gone])
    if (this.#life !== life) return
    life.env.program.exit(EXIT_DISK_FAILED)
    life.end()
  }

  /**
   * ext4, XFS and Btrfs take a file system whose metadata cannot be written out of service: before the next start it
   * is mounted anew, and what was not synced is lost.
   */
  #mountAnew(): void {
    if (!this.#world.disk(BROKER).namesLost()) return
    this.#timeline.add('broker', 'its file system is mounted anew')
    this.#events.dies('power-cut', this.#lastFacts)
    this.#world.powerCut(BROKER)
  }

  #dies(how: 'kill' | 'power-cut' | 'exit'): void {
    if (this.#broker !== undefined) this.#lastFacts = this.#broker.partitions()
    this.#events.dies(how, this.#lastFacts)
    this.#broker = undefined
  }
}

/** What a start may fail with, because of the disk; all else is a fault of the program. */
function isOperating(error: unknown): error is Error {
  return isMinikafkaError(error) || (error instanceof Error && OPERATING.includes(error.name))
}

function configOf(settings: Readonly<Record<string, string | number>>) {
  const all = {
    'data.dir': DATA_DIRECTORY,
    'node.id': 0,
    host: BROKER,
    port: PORT,
    'allow.insecure': true,
    ...settings,
  }
  return new Map(Object.entries(all).map(([name, value]) => [name, String(value)]))
}
