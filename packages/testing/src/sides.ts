// The links of a test broker by the names that tests use: a broker's index, its clients, its metadata.
// Enters: two sides. Leaves: what the world does to the wires between their nodes, also to those of clients yet to come.
import { type Duration, durationMs, type NetworkFaults } from './world/index.ts'

/** A broker by its index, or all clients. `metadata` is for clusters: the store of one broker is a file on its disk. */
export type Side = 0 | 'clients' | 'metadata'

type Break = { readonly from: string; readonly to: string; readonly apply: Apply }
type Apply = (from: string, to: string) => void

export class Sides {
  readonly #network: NetworkFaults
  readonly #broker: string
  readonly #clients: string[] = []
  /** By sides, until they heal. */
  #breaks: Break[] = []

  constructor(network: NetworkFaults, broker: string) {
    this.#network = network
    this.#broker = broker
  }

  /** A client has come: what is wrong with the clients' links is wrong with its. */
  join(client: string): void {
    this.#clients.push(client)
    for (const { from, to, apply } of this.#breaks) {
      if (from === 'clients') apply(client, to)
      else if (to === 'clients') apply(from, client)
    }
  }

  partition(a: Side | readonly Side[], b: Side | readonly Side[], oneWay: boolean): void {
    this.#break(a, b, (from, to) => this.#network.cut(from, to, { oneWay }))
  }

  slow(a: Side | readonly Side[], b: Side | readonly Side[], duration: Duration): void {
    const delayMs = durationMs(duration)
    this.#break(a, b, (from, to) => this.#network.slow(from, to, delayMs))
  }

  heal(): void {
    this.#breaks = []
    this.#network.heal()
  }

  #break(a: Side | readonly Side[], b: Side | readonly Side[], apply: Apply): void {
    const [from, to] = [this.#sideOf(a), this.#sideOf(b)]
    if (from === to) {
      throw new RangeError(`one broker has one link: between 0 and 'clients', not within ${from}`)
    }
    this.#breaks.push({ from, to, apply })
    for (const one of this.#nodesOf(from)) for (const other of this.#nodesOf(to)) apply(one, other)
  }

  #sideOf(given: Side | readonly Side[]): string {
    const sides = typeof given === 'object' ? given : [given]
    const [side] = sides
    if (sides.length !== 1 || side === undefined) {
      throw new RangeError(`one broker has two sides: 0 and 'clients'`)
    }
    if (side === 'clients') return side
    if (side === 0) return this.#broker
    if (side === 'metadata') {
      throw new RangeError(
        `the metadata of one broker is a file on its disk: disk() can fail, a link cannot`,
      )
    }
    throw new RangeError(`there is no side '${side}': 0 is the broker, 'clients' its clients`)
  }

  #nodesOf(side: string): readonly string[] {
    return side === 'clients' ? this.#clients : [side]
  }
}
