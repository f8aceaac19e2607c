// A listener and its backlog: the kernel opens connections, the process takes them up, or does not.
import type { Address, Listener, ListenOptions, Socket } from '@minikafka/platform'
import type { Ground } from '../ground.ts'
import type { Death, Process, Resource } from '../process.ts'
import { isLoopback, listensAnywhere, nameOf } from './addresses.ts'
import type { Host } from './host.ts'
import { networkError, type SimSocket } from './sim-socket.ts'

type Hooks = Pick<ListenOptions, 'backlog' | 'onAcceptFailed'> & {
  readonly accept: (socket: Socket) => void
}

const BACKLOG_DEFAULT = 511

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
    if (listensAnywhere(this.address.host)) return true
    return isLoopback(host) === isLoopback(this.address.host)
  }

  /** Nobody more is let in: their SYNs are dropped. */
  get full(): boolean {
    return this.#waiting.size >= (this.#hooks.backlog ?? BACKLOG_DEFAULT)
  }

  accept(socket: SimSocket): void {
    this.#waiting.add(socket)
    this.#handOverSoon(socket)
  }

  /** The host is mute no more. */
  handOver(): void {
    for (const socket of this.#waiting) this.#handOverSoon(socket)
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

  #handOverSoon(socket: SimSocket): void {
    this.#ground.scheduler.schedule(this.owner, 'io', 'net accept', 0, () => {
      if (!this.#host.mute && this.#waiting.delete(socket)) this.#handOver(socket)
    })
  }

  #handOver(socket: SimSocket): void {
    // The socket itself is counted already.
    if (this.#host.acceptsToFail === 0 && !this.owner.lacksDescriptors(0)) {
      this.#hooks.accept(socket)
      return
    }
    this.#host.acceptsToFail = Math.max(0, this.#host.acceptsToFail - 1)
    // As libuv does: it keeps one descriptor, to accept and close with where no other is left.
    socket.destroy()
    this.#hooks.onAcceptFailed?.(networkError('EMFILE'))
  }

  #remove(): void {
    const { port } = this.address
    if (this.#host.listeners.get(port) === this) this.#host.listeners.delete(port)
  }
}
