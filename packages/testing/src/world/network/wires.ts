// What lies between the nodes: who listens where, which links carry, how long they take.
import type { Generator } from '../generator.ts'
import type { Ground } from '../ground.ts'
import { drawMs } from '../latency.ts'
import type { SimListener } from './sim-network.ts'
import type { SimSocket } from './sim-socket.ts'

/** After this long without an answer the kernel gives a connection up. */
const KEEP_ALIVE_MS = 60_000
const WINDOW_BYTES_MAX = 2 ** 20
const PORT_FIRST = 40_000

export type Host = {
  readonly listeners: Map<number, SimListener>
  powered: boolean
  nextPort: number
  /** So many of the next connections find no descriptor free. */
  acceptsToFail: number
}

export class Wires {
  readonly sockets = new Set<SimSocket>()
  readonly #ground: Ground
  readonly #dice: Generator
  readonly #hosts = new Map<string, Host>()
  /** Directions that carry nothing: `from to`. */
  readonly #cut = new Set<string>()
  /** What a direction takes besides: `from to`. */
  readonly #extraMs = new Map<string, number>()
  /** Ends whose peer lost power, by the peer's node. */
  readonly #orphans = new Map<string, Set<SimSocket>>()

  constructor(ground: Ground) {
    this.#ground = ground
    this.#dice = ground.networkDice
  }

  host(node: string): Host | undefined {
    return this.#hosts.get(node)
  }

  /** A process begins on `node`. Connections from before a power cut are answered by resets now. */
  powerOn(node: string): void {
    const host = this.#hosts.get(node)
    if (host === undefined) {
      this.#hosts.set(node, {
        listeners: new Map(),
        powered: true,
        nextPort: PORT_FIRST,
        acceptsToFail: 0,
      })
    } else host.powered = true
    for (const socket of this.#orphans.get(node) ?? []) socket.resetSoon('ECONNRESET')
    this.#orphans.delete(node)
  }

  powerOff(node: string): void {
    const host = this.#hosts.get(node)
    if (host !== undefined) host.powered = false
  }

  wentDark(peer: SimSocket, node: string): void {
    if (!peer.open || peer.node === node) return
    const orphans = this.#orphans.get(node) ?? new Set()
    this.#orphans.set(node, orphans.add(peer))
    const { scheduler } = this.#ground
    const giveUp = () => peer.reset('ETIMEDOUT')
    const event = scheduler.schedule(peer.owner, 'timer', 'net keepalive', KEEP_ALIVE_MS, giveUp)
    peer.onClose(() => {
      orphans.delete(peer)
      scheduler.cancel(event)
    })
  }

  carries(from: string, to: string): boolean {
    return from === to || this.#cut.size === 0 || !this.#cut.has(linkOf(from, to))
  }

  cut(from: string, to: string): void {
    this.#cut.add(linkOf(from, to))
  }

  slow(from: string, to: string, extraMs: number): void {
    this.#extraMs.set(linkOf(from, to), extraMs)
  }

  failAccepts(node: string, count: number): void {
    const host = this.#hosts.get(node)
    if (host !== undefined) host.acceptsToFail = count
  }

  heal(): void {
    this.#cut.clear()
    this.#extraMs.clear()
    for (const host of this.#hosts.values()) host.acceptsToFail = 0
    for (const socket of this.sockets) {
      socket.kick()
      socket.peer.kick()
    }
  }

  /** Resets every connection of a node, on both ends. */
  disconnectAll(node: string): void {
    for (const socket of [...this.sockets]) {
      if (socket.node !== node && socket.peer.node !== node) continue
      socket.reset('ECONNRESET')
      socket.peer.reset('ECONNRESET')
    }
  }

  drawDelayMs(from: string, to: string): number {
    const extraMs = this.#extraMs.size === 0 ? 0 : (this.#extraMs.get(linkOf(from, to)) ?? 0)
    return extraMs + drawMs(this.#ground.networkLatency, this.#dice)
  }

  /** How much the kernels of one direction hold: 16 KiB to 1 MiB. */
  drawWindowBytes(): number {
    return WINDOW_BYTES_MAX >> this.#dice.below(7)
  }

  /** Mostly all there is; now and then a part, down to a single byte. */
  drawChunkSize(arrivedBytes: number): number {
    const kind = this.#dice.next()
    if (kind < 0.8 || arrivedBytes <= 1) return arrivedBytes
    if (kind < 0.83) return 1
    if (kind < 0.88) return 1 + this.#dice.below(Math.min(16, arrivedBytes))
    return 1 + this.#dice.below(arrivedBytes)
  }
}

function linkOf(from: string, to: string): string {
  return `${from} ${to}`
}
