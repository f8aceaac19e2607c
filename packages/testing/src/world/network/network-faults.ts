// What can go wrong between the nodes, as a test holds it. Loopback within a node always works.
// Enters: names of nodes. Leaves: links and hosts in another state, until they are healed.
import { type Duration, durationMs } from '../duration.ts'
import type { Ground } from '../ground.ts'
import type { HostSockets } from '../host/host-network.ts'
import type { Latency } from '../latency.ts'
import type { Wires } from './wires.ts'

export type OneWay = { readonly oneWay?: boolean | undefined }

export type NetworkFaults = {
  /** Carries nothing any more from the first to the second, and back unless `oneWay`. Open connections time out. */
  cut(from: string, to: string, options?: OneWay): void
  /** Ends whatever was wrong between two nodes, both ways unless `oneWay`. */
  mend(from: string, to: string, options?: OneWay): void
  /** Cuts between nodes of different groups. `partition(['a'], ['b', 'c'])` cuts a off from both. */
  partition(...groups: readonly (readonly string[])[]): void
  /** From all others, also those that come later; `speaks` or `hears`: that way alone still works. */
  isolate(node: string, still?: 'speaks' | 'hears'): void
  /** Ends what is wrong with all traffic of a node: isolated, mute, reading slowly. */
  rejoin(node: string): void
  /** Each node hears a majority, and no two the same one (Jepsen's majorities ring). */
  ring(nodes: readonly string[]): void

  /** Adds to the latency, both ways. */
  slow(from: string, to: string, duration: Duration): void
  /** Instead of the usual latency, both ways. */
  latency(from: string, to: string, latency: Latency): void
  /** Nothing arrives from the first at the second before that time has passed; then all of it does. */
  clog(from: string, to: string, duration: Duration): void
  /** Of each packet, both ways. It is sent again: bytes are late, never missing. */
  lose(from: string, to: string, probability: number): void
  /** How fast bytes go from the first to the second. */
  throttle(from: string, to: string, bytesPerSecond: number): void
  /** Bytes from the first arrive at the second in pieces of 1 to 16. */
  dribble(from: string, to: string): void

  /** Connecting from the first to the second is refused. */
  refuse(from: string, to: string): void
  /** Connections to `node` open, and it never answers on them. */
  mute(node: string): void
  /** The next `count` (default 1) connections to a node are lost: its process has no descriptor left (EMFILE). */
  failAccepts(node: string, count?: number): void
  /** The processes of `node` read no faster than that: whoever sends to them has to wait. */
  slowReader(node: string, bytesPerSecond: number): void
  /** Resets every connection of a node, or those with `peer`, on both ends: what was not read is lost. */
  disconnectAll(node: string, peer?: string): void
  /** `node` loses its ends of connections with `peer`, which learns of it when it sends or after a minute. */
  halfOpen(node: string, peer: string): void
  heal(): void
}

export function networkFaults(
  { scheduler }: Ground,
  wires: Wires,
  hostSockets: HostSockets,
): NetworkFaults {
  return {
    ...cuts(wires),
    ...delays(wires, () => scheduler.nowMs),
    ...resets(wires, hostSockets),
    refuse(from, to) {
      wires.link(from, to).refuses = true
    },
    mute(node) {
      wires.host(node).mute = true
    },
    failAccepts(node, count = 1) {
      wires.host(node).acceptsToFail = count
    },
    slowReader(node, bytesPerSecond) {
      wires.host(node).bytesPerSecond = bytesPerSecond
    },
    heal: () => wires.heal(),
  }
}

function cuts(wires: Wires) {
  const cutAll = (pairs: Iterable<readonly [from: string, to: string]>) => {
    for (const [from, to] of pairs) wires.link(from, to).cut = true
    wires.changed()
  }
  return {
    cut(from: string, to: string, { oneWay = false }: OneWay = {}) {
      cutAll(oneWay ? [[from, to]] : bothWays(from, to))
    },
    mend(from: string, to: string, { oneWay = false }: OneWay = {}) {
      wires.link(from, to).heal()
      if (!oneWay) wires.link(to, from).heal()
      wires.changed()
    },
    partition(...groups: readonly (readonly string[])[]) {
      cutAll(pairsAcross(groups))
    },
    isolate(node: string, still?: 'speaks' | 'hears') {
      const host = wires.host(node)
      host.hears = still === 'hears'
      host.speaks = still === 'speaks'
      wires.changed()
    },
    rejoin(node: string) {
      wires.host(node).heal()
      wires.changed()
    },
    ring(nodes: readonly string[]) {
      cutAll(deafPairs(nodes))
    },
  }
}

function delays(wires: Wires, nowMs: () => number) {
  return {
    slow(from: string, to: string, duration: Duration) {
      const extraMs = durationMs(duration)
      for (const [one, other] of bothWays(from, to)) wires.link(one, other).extraMs = extraMs
    },
    latency(from: string, to: string, latency: Latency) {
      for (const [one, other] of bothWays(from, to)) wires.link(one, other).latency = latency
    },
    clog(from: string, to: string, duration: Duration) {
      wires.link(from, to).cloggedUntilMs = nowMs() + durationMs(duration)
    },
    lose(from: string, to: string, probability: number) {
      for (const [one, other] of bothWays(from, to)) {
        wires.link(one, other).lossProbability = probability
      }
    },
    throttle(from: string, to: string, bytesPerSecond: number) {
      wires.link(from, to).bytesPerSecond = bytesPerSecond
    },
    dribble(from: string, to: string) {
      wires.link(from, to).dribbles = true
    },
  }
}

function resets(wires: Wires, hostSockets: HostSockets) {
  return {
    disconnectAll(node: string, peer?: string) {
      const ends = wires.endsOf(node, peer)
      const others = [...wires.sockets].filter((socket) => ends.includes(socket.peer))
      for (const socket of [...ends, ...others]) socket.reset('ECONNRESET')
      if (peer === undefined) hostSockets.destroyAll(node)
    },
    halfOpen(node: string, peer: string) {
      for (const socket of wires.endsOf(node, peer)) socket.reset('ETIMEDOUT')
    },
  }
}

function bothWays(one: string, other: string): [from: string, to: string][] {
  return [
    [one, other],
    [other, one],
  ]
}

function* pairsAcross(
  groups: readonly (readonly string[])[],
): Generator<[from: string, to: string]> {
  for (const group of groups) {
    for (const other of groups) {
      if (other === group) continue
      for (const from of group) for (const to of other) yield [from, to]
    }
  }
}

/** Around the ring each node hears those in a window of majority size, itself in the middle. */
function* deafPairs(nodes: readonly string[]): Generator<[from: string, to: string]> {
  const majority = Math.floor(nodes.length / 2) + 1
  const behind = Math.floor(majority / 2)
  for (const [index, to] of nodes.entries()) {
    const window = new Set<string>()
    for (let step = -behind; step < majority - behind; step++) {
      window.add(nodes.at((index + step) % nodes.length) as string)
    }
    for (const from of nodes) if (!window.has(from)) yield [from, to]
  }
}
