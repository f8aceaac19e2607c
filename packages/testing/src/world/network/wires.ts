// What lies between the nodes: the hosts, a link for each direction between two, and every open socket.
import type { Ground } from '../ground.ts'
import { Host } from './host.ts'
import { Link } from './link.ts'
import type { SimSocket } from './sim-socket.ts'

const WINDOW_BYTES_MAX = 2 ** 20

export class Wires {
  readonly sockets = new Set<SimSocket>()
  readonly #ground: Ground
  readonly #hosts = new Map<string, Host>()
  /** By `from`, then by `to`. */
  readonly #links = new Map<string, Map<string, Link>>()

  constructor(ground: Ground) {
    this.#ground = ground
  }

  host(node: string): Host {
    let host = this.#hosts.get(node)
    if (host === undefined) {
      host = new Host(node)
      this.#hosts.set(node, host)
    }
    return host
  }

  link(from: string, to: string): Link {
    let links = this.#links.get(from)
    if (links === undefined) {
      links = new Map()
      this.#links.set(from, links)
    }
    let link = links.get(to)
    if (link === undefined) {
      link = new Link(this.#ground, this.host(from), this.host(to))
      links.set(to, link)
    }
    return link
  }

  /** Both ways: without a way back nothing is acknowledged. */
  reaches(one: string, other: string): boolean {
    return this.link(one, other).carries && this.link(other, one).carries
  }

  /** A process begins on `node`. Connections from before a power cut are answered by resets now. */
  powerOn(node: string): void {
    const host = this.host(node)
    host.known = true
    host.powered = true
    for (const socket of this.sockets) {
      if (socket.peer.dark && socket.peer.node === node) socket.resetSoon('ECONNRESET')
    }
  }

  powerOff(node: string): void {
    this.host(node).powered = false
    this.changed()
  }

  heal(): void {
    for (const host of this.#hosts.values()) host.heal()
    for (const links of this.#links.values()) for (const link of links.values()) link.heal()
    this.changed()
  }

  /** Links were cut or mended, hosts fell silent: bytes that waited go on, ends that hear nothing begin to give up. */
  changed(): void {
    for (const socket of [...this.sockets]) {
      socket.watchSilence()
      socket.kick()
      socket.peer.kick()
    }
  }

  /** Open ends of `node`, of connections with `peer` (default: with anybody). */
  endsOf(node: string, peer?: string): SimSocket[] {
    return [...this.sockets].filter(
      (socket) => socket.node === node && (peer === undefined || socket.peer.node === peer),
    )
  }

  /** How much the kernels of one direction hold: 16 KiB to 1 MiB. */
  drawWindowBytes(): number {
    return WINDOW_BYTES_MAX >> this.#ground.networkDice.below(7)
  }
}
