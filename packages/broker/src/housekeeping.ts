// What is done by the clock: retention, and producers that are forgotten. One timer for the whole broker.
import type { Env, Timer } from '@minikafka/platform'
import type { LiveConfig } from './config/index.ts'
import type { MetadataFollower } from './metadata.ts'
import type { Partitions } from './partition/index.ts'

export class Housekeeping {
  readonly #env: Env
  readonly #config: LiveConfig
  readonly #partitions: Partitions
  readonly #follower: MetadataFollower
  readonly #timers = new Map<string, Timer>()
  #stopped = false

  constructor(env: Env, config: LiveConfig, partitions: Partitions, follower: MetadataFollower) {
    this.#env = env
    this.#config = config
    this.#partitions = partitions
    this.#follower = follower
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
    this.#partitions.expireProducers()
    this.#follower.goOn()
    await this.#partitions.applyRetention()
  }
}
