// What is done by the clock: retention, and producers that are forgotten. One timer for the whole broker.
import type { Env, Timer } from '@minikafka/platform'
import type { LiveConfig } from './config/index.ts'
import type { Partitions } from './partition/index.ts'

/** The wall clock moved so much more or less than time did: somebody set it. Nothing is deleted on its word yet (T21). */
const JUMP_MS = 60_000

export class Housekeeping {
  readonly #env: Env
  readonly #config: LiveConfig
  readonly #partitions: Partitions
  readonly #timers = new Map<string, Timer>()
  #stopped = false
  #lastLook: { readonly wallMs: number; readonly monotonicMs: number }

  constructor(env: Env, config: LiveConfig, partitions: Partitions) {
    this.#env = env
    this.#config = config
    this.#partitions = partitions
    this.#lastLook = this.#now()
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
    await this.#partitions.leadAgain()
    if (this.#clockJumped()) {
      this.#env.logger.warn('the wall clock was set: retention waits for the next check')
      return
    }
    await this.#partitions.applyRetention()
  }

  #clockJumped(): boolean {
    const before = this.#lastLook
    const now = this.#now()
    this.#lastLook = now
    const drift = now.wallMs - before.wallMs - (now.monotonicMs - before.monotonicMs)
    return Math.abs(drift) > JUMP_MS
  }

  #now() {
    const { clock } = this.#env
    return { wallMs: clock.wallMs(), monotonicMs: clock.monotonicMs() }
  }
}
