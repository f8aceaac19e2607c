// A nemesis of its own: links stop one by one, and are released in another order.
// Found to be the best at finding bugs by FoundationDB ("Testing Distributed Systems w/ Deterministic Simulation").
import { type Env, type Random, sleep } from '@minikafka/platform'
import { type Duration, durationMs } from '../duration.ts'
import type { NetworkFaults } from './network-faults.ts'

type Link = { readonly from: string; readonly to: string }

/** Some of the directions between `nodes`, at least one, all of them released when it resolves. */
export async function swizzleClog(
  { clock, random }: Pick<Env, 'clock' | 'random'>,
  network: Pick<NetworkFaults, 'clog'>,
  nodes: readonly string[],
  within: Duration = '10s',
): Promise<void> {
  const halfMs = durationMs(within) / 2
  const all = linksAmong(nodes)
  const links = shuffled(random, all).slice(0, 1 + random.below(all.length))
  const stopsMs = drawMoments(random, links.length, halfMs)
  const releasesMs = drawMoments(random, links.length, halfMs).map((ms) => halfMs + ms)
  const ends = shuffled(random, releasesMs)
  let passedMs = 0
  for (const [index, { from, to }] of links.entries()) {
    const stopMs = stopsMs[index] as number
    await sleep(clock, stopMs - passedMs)
    passedMs = stopMs
    network.clog(from, to, (ends[index] as number) - stopMs)
  }
  await sleep(clock, 2 * halfMs - passedMs)
}

function linksAmong(nodes: readonly string[]): Link[] {
  return nodes.flatMap((from) => nodes.filter((to) => to !== from).map((to) => ({ from, to })))
}

/** Ascending. */
function drawMoments(random: Random, count: number, spanMs: number): number[] {
  const moments = Array.from({ length: count }, () => random.next() * spanMs)
  return moments.sort((a, b) => a - b)
}

function shuffled<T>(random: Random, items: readonly T[]): T[] {
  const ranked = items.map((item) => ({ item, rank: random.next() }))
  return ranked.sort((a, b) => a.rank - b.rank).map(({ item }) => item)
}
