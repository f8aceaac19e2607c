// The pages of the broker over HTTP: /metrics for Prometheus, /healthz (it turns), /readyz (it serves).
// Enters: how far the broker is. Leaves: pages. Nothing here is a secret, and nothing can be changed (SECURITY).
import type { Address, Env, Listener, Page } from '@minikafka/platform'
import type { Space } from '../partition/index.ts'
import { MetricsPage } from './metrics-page.ts'
import type { Watched } from './watched.ts'

const TEXT = 'text/plain; charset=utf-8'
const LACKS: Readonly<Record<Space, string>> = {
  enough: '',
  low: '',
  full: ', but the disk is nearly full: produce is refused',
  spent: ', but the disk is full: nothing is appended',
}
const PATHS = '/metrics, /healthz and /readyz'

export class Pages {
  readonly #env: Env
  #listener: Listener | undefined
  #watched: Watched | undefined
  /** Why the broker does not serve; undefined: it does. */
  #notReady: string | undefined = 'the broker starts'
  #metrics: MetricsPage | undefined

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
    await this.#listener?.close()
    this.#metrics?.close()
  }

  async #page(path: string): Promise<Page> {
    if (path === '/metrics') return await this.#metricsPage()
    if (path === '/healthz') return page(200, 'ok')
    if (path === '/readyz') return this.#readiness()
    return page(404, `there are ${PATHS}`)
  }

  /** On a full disk it is ready: readers go on, and producers hear what is wrong from the broker itself. */
  #readiness(): Page {
    const { directory, partitions } = this.#watched ?? {}
    const offline = directory?.offline
    const reason = offline ? `the data directory is offline: ${offline.message}` : this.#notReady
    if (reason !== undefined) return page(503, `not ready: ${reason}`)
    return page(200, `ready${LACKS[partitions?.space ?? 'enough']}`)
  }

  /** Made when it is first asked for: where nobody looks, no timer watches the event loop. */
  async #metricsPage(): Promise<Page> {
    if (this.#watched === undefined) return page(503, `no metrics yet: ${this.#notReady}`)
    this.#metrics ??= new MetricsPage(this.#env, this.#watched)
    return { status: 200, type: this.#metrics.type, body: await this.#metrics.text() }
  }
}

function page(status: number, sentence: string): Page {
  return { status, type: TEXT, body: `${sentence}\n` }
}
