// The page /metrics: what was counted since the first look, and what is looked at now, as Prometheus text.
// Enters: a running broker. Leaves: one page at a time, however many ask for it.
import type { Env } from '@minikafka/platform'
import { Gauge, Registry } from 'prom-client'
import { watchFacts } from './facts.ts'
import { GroupLag } from './group-lag.ts'
import { watchLoop } from './loop-delay.ts'
import { watchRequests } from './requests.ts'
import type { Watched } from './watched.ts'

export class MetricsPage {
  readonly #env: Env
  readonly #registry = new Registry()
  readonly #lag: GroupLag
  readonly #durationSeconds: Gauge
  readonly #stops: readonly (() => void)[]
  #underWay: Promise<{ type: string; body: string }> | undefined

  private constructor(env: Env, watched: Watched) {
    this.#env = env
    this.#stops = [watchRequests(this.#registry), watchLoop(env.clock, this.#registry)]
    watchFacts(env, watched, this.#registry)
    this.#lag = new GroupLag(env, watched, this.#registry)
    this.#durationSeconds = new Gauge({
      name: 'minikafka_metrics_page_duration_seconds',
      help: 'How long it took to make the page before this one.',
      registers: [this.#registry],
    })
  }

  static open(env: Env, watched: Watched): MetricsPage {
    return new MetricsPage(env, watched)
  }

  /** Who asks while one is made gets that one. */
  text(): Promise<{ type: string; body: string }> {
    this.#underWay ??= this.#make().finally(() => {
      this.#underWay = undefined
    })
    return this.#underWay
  }

  close(): void {
    for (const stop of this.#stops) stop()
    this.#registry.clear()
  }

  async #make() {
    const beganMs = this.#env.clock.monotonicMs()
    await this.#lag.look()
    const body = await this.#registry.metrics()
    this.#durationSeconds.set((this.#env.clock.monotonicMs() - beganMs) / 1000)
    return { type: this.#registry.contentType, body }
  }
}
