// The pages of the broker over HTTP: /metrics for Prometheus, /healthz (it turns), /readyz (it serves).
// Enters: how far the broker is. Leaves: pages. Nothing here is a secret, and nothing can be changed (SECURITY).
import type { Address, Env, Listener, Page } from '@minikafka/platform'
import type { MetricsPage } from './metrics-page.ts'
import type { Watched } from './watched.ts'

const TEXT = 'text/plain; charset=utf-8'
const PATHS = '/metrics, /healthz and /readyz'

export class Pages {
  readonly #env: Env
  #listener: Listener | undefined
  #watched: Watched | undefined
  /** Why the broker does not serve; undefined: it does. */
  #notReady: string | undefined = 'the broker starts'
  #metrics: Promise<MetricsPage> | undefined
  #closed = false

  private constructor(env: Env) {
    this.#env = env
  }

  /** Before the logs are recovered, so that a start that takes long can be watched. Errors: NetworkError. */
  static async open(env: Env, at: Address): Promise<Pages> {
    const pages = new Pages(env)
    pages.#listener = await env.httpServer.listen(at, (path) => pages.#page(path))
    return pages
  }

  get address(): Address {
    return this.#listener?.address ?? { host: '', port: 0 }
  }

  recovering(done: number, total: number): void {
    this.#notReady = `the broker recovers its logs: ${done} of ${total} partitions are open`
  }

  serving(watched: Watched): void {
    this.#watched = watched
    this.#notReady = undefined
  }

  stopping(): void {
    this.#notReady = 'the broker stops'
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#listener?.close()
    const metrics = await this.#metrics?.catch(() => undefined)
    metrics?.close()
  }

  async #page(path: string): Promise<Page> {
    if (path === '/metrics') return await this.#metricsPage()
    if (path === '/healthz') return page(200, 'ok')
    if (path === '/readyz') return this.#readiness()
    return page(404, `there are ${PATHS}`)
  }

  #readiness(): Page {
    const offline = this.#watched?.directory.offline
    const reason =
      this.#notReady ?? (offline && `the data directory is offline: ${offline.message}`)
    return reason === undefined ? page(200, 'ready') : page(503, `not ready: ${reason}`)
  }

  /** Made when it is first asked for: a broker that nobody watches pays nothing, and counters begin with the first look. */
  async #metricsPage(): Promise<Page> {
    const watched = this.#watched
    if (watched === undefined || this.#closed) return page(503, `no metrics yet: ${this.#notReady}`)
    this.#metrics ??= import('./metrics-page.ts').then(({ MetricsPage }) =>
      MetricsPage.open(this.#env, watched),
    )
    const { type, body } = await (await this.#metrics).text()
    return { status: 200, type, body }
  }
}

function page(status: number, sentence: string): Page {
  return { status, type: TEXT, body: `${sentence}\n` }
}
