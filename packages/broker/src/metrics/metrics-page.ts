// The page /metrics: what was counted since the start, and what is looked at now, as Prometheus text.
// Enters: a running broker. Leaves: one page at a time, however many ask for it.
import type { Env } from '@minikafka/platform'
import { DiskLook } from './disk-look.ts'
import { writeFacts } from './facts.ts'
import { GroupLag } from './group-lag.ts'
import { LoopDelay } from './loop-delay.ts'
import { PAGE_TYPE, PageText } from './page-text.ts'
import { writeRequests } from './requests.ts'
import { turn } from './slices.ts'
import { writePartitions } from './topics.ts'
import type { Watched } from './watched.ts'

export class MetricsPage {
  readonly #env: Env
  readonly #watched: Watched
  readonly #loopDelay: LoopDelay
  readonly #disk: DiskLook
  readonly #lag: GroupLag
  #lastMs = 0
  #underWay: Promise<string> | undefined

  constructor(env: Env, watched: Watched) {
    this.#env = env
    this.#watched = watched
    this.#loopDelay = new LoopDelay(env.clock)
    this.#disk = new DiskLook(env.clock, watched.directory)
    this.#lag = new GroupLag(env, watched)
  }

  readonly type = PAGE_TYPE

  /** Who asks while one is made gets that one. */
  text(): Promise<string> {
    this.#underWay ??= this.#make().finally(() => {
      this.#underWay = undefined
    })
    return this.#underWay
  }

  close(): void {
    this.#loopDelay.stop()
  }

  async #make(): Promise<string> {
    const { clock } = this.#env
    const beganMs = clock.monotonicMs()
    const page = new PageText()
    await this.#disk.write(page)
    writeFacts(page, this.#env, this.#watched)
    writeRequests(page, this.#watched)
    this.#loopDelay.write(page)
    await writePartitions(page, clock, this.#watched.partitions)
    await turn(clock)
    await this.#lag.write(page)
    page.gauge(
      'minikafka_metrics_page_duration_seconds',
      'How long it took to make the page before this one.',
      this.#lastMs / 1000,
    )
    await turn(clock)
    this.#lastMs = clock.monotonicMs() - beganMs
    return page.toString()
  }
}
