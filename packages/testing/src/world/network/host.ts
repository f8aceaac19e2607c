// One node on the network: who listens there, and what is wrong with all of its traffic.
import type { SimListener } from './sim-listener.ts'

const PORT_FIRST = 40_000

export class Host {
  readonly node: string
  readonly listeners = new Map<number, SimListener>()
  /** A process ran here once: its name is found. */
  known = false
  powered = false
  /** Cut off from everybody else, also from nodes that come later. */
  hears = true
  speaks = true
  /** Connections are opened by the kernel, and nobody takes them up. */
  mute = false
  /** So many of the next connections find no descriptor free. */
  acceptsToFail = 0
  /** Its processes read no faster. */
  bytesPerSecond = Number.POSITIVE_INFINITY
  #nextPort = PORT_FIRST

  constructor(node: string) {
    this.node = node
  }

  freePort(): number {
    while (this.listeners.has(this.#nextPort)) this.#nextPort++
    return this.#nextPort++
  }

  heal(): void {
    this.hears = true
    this.speaks = true
    this.mute = false
    this.acceptsToFail = 0
    this.bytesPerSecond = Number.POSITIVE_INFINITY
    for (const listener of this.listeners.values()) listener.handOver()
  }
}
