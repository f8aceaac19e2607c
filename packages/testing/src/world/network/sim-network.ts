// The network as one process sees it. A node is reached by its name; loopback stays on the node.
import type {
  Address,
  ConnectOptions,
  Listener,
  ListenOptions,
  Network,
  Socket,
} from '@minikafka/platform'
import type { Event } from '../event-heap.ts'
import type { Ground } from '../ground.ts'
import type { Process } from '../process.ts'
import { isLoopback, listensAnywhere, nameOf, nodeOf } from './addresses.ts'
import type { Host } from './host.ts'
import { Pipe } from './pipe.ts'
import { SimListener } from './sim-listener.ts'
import { networkError, SimSocket } from './sim-socket.ts'
import type { Wires } from './wires.ts'

/** Linux sends a SYN again after 1, 2, 4 ... seconds. */
const SYN_AGAIN_MS = 1000

/** Who waits for a connection. */
type Caller = {
  /** When the next SYN is sent. */
  again: Event | undefined
  settled(): boolean
  fail(error: unknown): void
  connected(socket: SimSocket): void
}

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
        const { host, port, backlog, onAcceptFailed } = options
        const address = { host, port: port === 0 ? this.#host.freePort() : port }
        const hooks = { accept, backlog, onAcceptFailed }
        resolve(new SimListener(this.#ground, this.#owner, this.#host, address, hooks))
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
        if (caller.again !== undefined) this.#ground.scheduler.cancel(caller.again)
        signal?.removeEventListener('abort', abort)
      }
      const fail = (error: unknown) => {
        if (settled) return
        finish()
        reject(error)
      }
      const connected = (socket: SimSocket) => {
        if (settled) return socket.destroy()
        finish()
        resolve(socket)
      }
      const caller: Caller = { again: undefined, settled: () => settled, fail, connected }
      this.#knock({ host, port }, caller, SYN_AGAIN_MS)
    })
  }

  /** SYN. Where nothing comes back it is sent again, until the time-out tells. */
  #knock(to: Address, caller: Caller, againMs: number): void {
    const from = this.#owner.node
    const node = nodeOf(to.host, from)
    const there = this.#wires.link(from, node)
    this.#schedule('net connect', there.drawDelayMs(), () => {
      const host = this.#wires.host(node)
      const error = this.#failure(to, host)
      if (error !== undefined) return caller.fail(error)
      const listener = host.listeners.get(to.port)
      if (!this.#wires.reaches(from, node) || !host.powered || listener?.full) {
        return this.#knockAgain(to, caller, againMs)
      }
      const backMs = this.#wires.link(node, from).drawDelayMs()
      if (listener === undefined || !listener.hears(to.host) || there.refuses) {
        const refused = networkError('ECONNREFUSED', `connect ECONNREFUSED ${nameOf(to)}`)
        return this.#schedule('net refused', backMs, () => caller.fail(refused))
      }
      const socket = this.#open(listener, to)
      this.#schedule('net connected', backMs, () => caller.connected(socket))
    })
  }

  #knockAgain(to: Address, caller: Caller, againMs: number): void {
    if (caller.settled()) return
    const again = () => this.#knock(to, caller, againMs * 2)
    const { scheduler } = this.#ground
    caller.again = scheduler.schedule(this.#owner, 'timer', 'net connect again', againMs, again)
  }

  /** Of this end, before anything is sent. */
  #failure(to: Address, host: Host): Error | undefined {
    if (!host.known) return networkError('ENOTFOUND', `getaddrinfo ENOTFOUND ${to.host}`)
    if (!this.#owner.lacksDescriptors(1)) return undefined
    return networkError('EMFILE', `connect EMFILE ${nameOf(to)}`)
  }

  #open(listener: SimListener, to: Address): SimSocket {
    const host = isLoopback(to.host) ? to.host : this.#owner.node
    const near = { host, port: this.#host.freePort() }
    const client = new SimSocket(this.#ground, this.#wires, this.#owner, {
      local: near,
      remote: to,
    })
    const ends = { local: to, remote: near }
    const server = new SimSocket(this.#ground, this.#wires, listener.owner, ends)
    const there = this.#pipe(client, server)
    const back = this.#pipe(server, client)
    client.join(server, { out: there, in: back })
    server.join(client, { out: back, in: there })
    listener.accept(server)
    return client
  }

  #pipe(from: SimSocket, to: SimSocket): Pipe {
    const link = this.#wires.link(from.node, to.node)
    return new Pipe(this.#ground, { link, windowBytes: this.#wires.drawWindowBytes() }, from, to)
  }

  #refusal({ host, port }: ListenOptions): Error | undefined {
    const known = isLoopback(host) || listensAnywhere(host) || host === this.#owner.node
    if (!known) return networkError('EADDRNOTAVAIL', `listen EADDRNOTAVAIL ${host}:${port}`)
    if (!this.#host.listeners.has(port)) return undefined
    return networkError('EADDRINUSE', `listen EADDRINUSE: address already in use ${host}:${port}`)
  }

  get #host(): Host {
    return this.#wires.host(this.#owner.node)
  }

  #schedule(label: string, delayMs: number, run: () => void): void {
    this.#ground.scheduler.schedule(this.#owner, 'io', label, delayMs, run)
  }
}
