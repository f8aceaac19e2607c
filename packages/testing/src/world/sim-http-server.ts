// The `httpServer` port of the simulated world: no bytes, a request is a call. Its pages are asked for by tests alone.
// Enters: addresses that a process listens on. Leaves: pages, by node and port.
import {
  type Address,
  type HttpServer,
  NetworkError,
  type Page,
  pageFor,
} from '@minikafka/platform'
import type { Process } from './process.ts'

type PageOf = (path: string) => Page | Promise<Page>

const FREE_PORTS_FROM = 40_000

/** All that listens in one world. */
export class SimPages {
  readonly #doors = new Map<string, PageOf>()

  serverOf(owner: Process): HttpServer {
    return { listen: async (at, pageOf) => this.#listen(owner, at, pageOf) }
  }

  /** Errors: NetworkError ECONNREFUSED where nobody listens. */
  async ask(node: string, port: number, path: string, method = 'GET'): Promise<Page> {
    const pageOf = this.#doors.get(`${node}:${port}`)
    if (pageOf === undefined)
      throw new NetworkError('ECONNREFUSED', `connect ${node}:${port}: ECONNREFUSED`)
    return await pageFor(method, path, pageOf)
  }

  #listen(owner: Process, { host, port: wanted }: Address, pageOf: PageOf) {
    const port = wanted === 0 ? this.#freePort(owner.node) : wanted
    const door = `${owner.node}:${port}`
    if (this.#doors.has(door))
      throw new NetworkError('EADDRINUSE', `listen ${host}:${port}: EADDRINUSE`)
    this.#doors.set(door, pageOf)
    const resource = { about: `pages on port ${port}`, died: () => this.#doors.delete(door) }
    owner.holds(resource)
    return {
      address: { host, port },
      close: async () => {
        this.#doors.delete(door)
        owner.releases(resource)
      },
    }
  }

  #freePort(node: string): number {
    let port = FREE_PORTS_FROM
    while (this.#doors.has(`${node}:${port}`)) port++
    return port
  }
}
