// The network as one process sees it. A node is reached by its name; loopback stays on the node.
import type {
  Address,
  ConnectOptions,
  Listener,
  ListenOptions,
  Network,
  Socket,
} from '@minikafka/platform'
import type { Ground } from '../ground.ts'
import type { Death, Process, Resource } from '../process.ts'
import { Pipe } from './pipe.ts'
import { nameOf, networkError, SimSocket } from './sim-socket.ts'
import type { Host, Wires } from './wires.ts'

const LOOPBACK = ['localhost', '127.0.0.1', '::1']
const ANY = ['0.0.0.0', '::']

export class SimNetwork implements Network {
  readonly #ground: Ground
  readonly #wires: Wires
  readonly #owner: Process

  constructor(ground: Ground, wires: Wires, owner: Process) {
    this.#ground = ground
    this.#wires = wires
    this.#owner = owner
  }

  listen(options: ListenOptions, accept: (socket: Socket) => void): Promise<Listener> {
    return new Promise((resolve, reject) => {
      this.#schedule('net listen', 0, () => {
        const refusal = this.#refusal(options)
        if (refusal !== undefined) return reject(refusal)
        const port = options.port === 0 ? this.#freePort() : options.port
        const address = { host: options.host, port }
        const { onAcceptFailed } = options
        resolve(
          new SimListener(this.#ground, this.#owner, this.#host, address, {
            accept,
            onAcceptFailed,
          }),
        )
      })
    })
  }

  connect(options: ConnectOptions): Promise<Socket> {
    const { host, port, timeoutMs, signal } = options
    if (signal?.aborted) return Promise.reject(signal.reason)
    return new Promise((resolve, reject) => {
      let settled = false
      const timeout = this.#ground.scheduler.schedule(
        this.#owner,
        'timer',
        'net connect timeout',
        timeoutMs,
        () => fail(networkError('ETIMEDOUT', `connect ETIMEDOUT ${host}:${port}`)),
      )
      const abort = () => fail(signal?.reason)
      signal?.addEventListener('abort', abort, { once: true })
      const finish = () => {
        settled = true
        this.#ground.scheduler.cancel(timeout)
        signal?.removeEventListener('abort', abort)
      }
      const fail = (error: unknown) => {
        if (settled) return
        finish()
        reject(error)
      }
      this.#knock({ host, port }, fail, (socket) => {
        if (settled) return socket.destroy()
        finish()
        resolve(socket)
      })
    })
  }

  /** SYN. Nothing comes back from a host without power or over a link that is cut: the time-out tells. */
  #knock(to: Address, fail: (error: Error) => void, connected: (socket: SimSocket) => void): void {
    const from = this.#owner.node
    const node = LOOPBACK.includes(to.host) || ANY.includes(to.host) ? from : to.host
    const delayMs = this.#wires.drawDelayMs(from, node)
    this.#schedule('net connect', delayMs, () => {
      const host = this.#wires.host(node)
      if (host === undefined) {
        return fail(networkError('ENOTFOUND', `getaddrinfo ENOTFOUND ${to.host}`))
      }
      const carries = this.#wires.carries(from, node) && this.#wires.carries(node, from)
      if (!carries || !host.powered) return
      const backMs = this.#wires.drawDelayMs(node, from)
      const listener = host.listeners.get(to.port)
      if (listener === undefined || !listener.hears(to.host)) {
        const refused = networkError('ECONNREFUSED', `connect ECONNREFUSED ${nameOf(to)}`)
        return this.#schedule('net refused', backMs, () => fail(refused))
      }
      const socket = this.#open(listener, to)
      this.#schedule('net connected', backMs, () => connected(socket))
    })
  }

  #open(listener: SimListener, to: Address): SimSocket {
    const host = LOOPBACK.includes(to.host) ? to.host : this.#owner.node
    const near = { host, port: this.#freePort() }
    const client = new SimSocket(this.#ground, this.#wires, this.#owner, {
      local: near,
      remote: to,
    })
    const ends = { local: to, remote: near }
    const server = new SimSocket(this.#ground, this.#wires, listener.owner, ends)
    const there = new Pipe(this.#ground, this.#wires, client, server)
    const back = new Pipe(this.#ground, this.#wires, server, client)
    client.join(server, { out: there, in: back })
    server.join(client, { out: back, in: there })
    listener.accept(server)
    return client
  }

  #refusal({ host, port }: ListenOptions): Error | undefined {
    const known = LOOPBACK.includes(host) || ANY.includes(host) || host === this.#owner.node
    if (!known) return networkError('EADDRNOTAVAIL', `listen EADDRNOTAVAIL ${host}:${port}`)
    if (!this.#host.listeners.has(port)) return undefined
    return networkError('EADDRINUSE', `listen EADDRINUSE: address already in use ${host}:${port}`)
  }

  get #host(): Host {
    return this.#wires.host(this.#owner.node) as Host
  }

  #freePort(): number {
    const host = this.#host
    while (host.listeners.has(host.nextPort)) host.nextPort++
    return host.nextPort++
  }

  #schedule(label: string, delayMs: number, run: () => void): void {
    this.#ground.scheduler.schedule(this.#owner, 'io', label, delayMs, run)
  }
}

type Hooks = Pick<ListenOptions, 'onAcceptFailed'> & { readonly accept: (socket: Socket) => void }

export class SimListener implements Listener, Resource {
  readonly about: string
  readonly address: Address
  readonly owner: Process
  readonly #ground: Ground
  readonly #host: Host
  readonly #hooks: Hooks
  /** Arrived and not yet handed over: lost when the listener closes first. */
  readonly #waiting = new Set<SimSocket>()

  constructor(ground: Ground, owner: Process, host: Host, address: Address, hooks: Hooks) {
    this.#ground = ground
    this.owner = owner
    this.#host = host
    this.address = address
    this.#hooks = hooks
    this.about = `listener on ${nameOf(address)}`
    host.listeners.set(address.port, this)
    owner.holds(this)
  }

  /** Whoever listens on loopback is not reached by the node's name. */
  hears(host: string): boolean {
    if (ANY.includes(this.address.host)) return true
    return LOOPBACK.includes(host) === LOOPBACK.includes(this.address.host)
  }

  accept(socket: SimSocket): void {
    this.#waiting.add(socket)
    this.#ground.scheduler.schedule(this.owner, 'io', 'net accept', 0, () => {
      if (!this.#waiting.delete(socket)) return
      if (this.#host.acceptsToFail === 0) return this.#hooks.accept(socket)
      this.#host.acceptsToFail--
      // As libuv does: it keeps one descriptor, to accept and close with where no other is left.
      socket.destroy()
      this.#hooks.onAcceptFailed?.(networkError('EMFILE'))
    })
  }

  close(): Promise<void> {
    this.#remove()
    this.owner.releases(this)
    for (const socket of this.#waiting) socket.destroy()
    this.#waiting.clear()
    return new Promise((resolve) => {
      this.#ground.scheduler.schedule(this.owner, 'io', 'net unlisten', 0, resolve)
    })
  }

  died(_how: Death): void {
    this.#remove()
  }

  #remove(): void {
    const { port } = this.address
    if (this.#host.listeners.get(port) === this) this.#host.listeners.delete(port)
  }
}
