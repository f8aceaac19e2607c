// What is done by the clock: retention; producers, positions and groups that are forgotten. One timer for the whole broker.
import type { Env, Timer } from '@minikafka/platform'
import type { LiveConfig } from './config/index.ts'
import type { GroupHosts } from './hosts/index.ts'
import type { MetadataFollower } from './metadata.ts'
import type { Partitions } from './partition/index.ts'

type Looked = {
  readonly partitions: Partitions
  readonly follower: MetadataFollower
  readonly groups: GroupHosts
}

export class Housekeeping {
  readonly #env: Env
  readonly #config: LiveConfig
  readonly #rooms: Looked
  readonly #timers = new Map<string, Timer>()
  #stopped = false

  constructor(env: Env, config: LiveConfig, rooms: Looked) {
    this.#env = env
    this.#config = config
    this.#rooms = rooms
    this.#every(
      'log',
      () => this.#config.values['log.retention.check.interval.ms'],
      () => this.#lookAfterLogs(),
    )
  }

  stop(): void {
    this.#stopped = true
    for (const timer of this.#timers.values()) timer.cancel()
  }

  /** The next turn is set when the work is done, so that slow work never piles up. */
  #every(name: string, delayMs: () => number, work: () => Promise<void>): void {
    const turn = () => {
      work()
        .catch((error: unknown) =>
          this.#env.logger.error({ err: error, work: name }, 'housekeeping failed'),
        )
        .finally(() => {
          if (!this.#stopped) this.#every(name, delayMs, work)
        })
    }
    this.#timers.set(name, this.#env.clock.timer(delayMs(), turn))
  }

  async #lookAfterLogs(): Promise<void> {
    const { partitions, follower, groups } = this.#rooms
    partitions.expireProducers()
    follower.goOn()
    await partitions.applyRetention()
    await groups.expire()
  }
}
