// What to ask which broker next: the partitions that want data, within the memory for data fetched ahead.
// Enters: feeds, settings, leaders and the time. Leaves: a fetch per broker. Nothing is asked here.
import type { Feed } from './feed.ts'

export type FetchPlan = {
  readonly leaderId: number
  readonly feeds: readonly Feed[]
  readonly maxBytes: number
  readonly maxWaitMs: number
}

export type FetchPlans = {
  readonly fetches: readonly FetchPlan[]
  /** Want data and have nobody to ask. */
  readonly leaderless: readonly Feed[]
  /** When the first of those is due that back off; undefined: none does. */
  readonly againInMs: number | undefined
}

export type PlanSettings = {
  readonly prefetchBytes: number
  readonly partitionMaxBytes: number
  readonly fetchMaxBytes: number
  readonly fetchMaxWaitMs: number
}

/** The shortest wait while partitions of the same broker leave its fetches. */
const OUT_WAIT_MS_MIN = 5

/** Feeds of one broker: those to ask for, and since when the last one that left is out. */
type Group = { readonly feeds: Feed[]; outSinceMs: number }

export function planFetches(
  feeds: readonly Feed[],
  now: {
    readonly settings: PlanSettings
    readonly nowMs: number
    readonly leaderOf: (feed: Feed) => number
  },
): FetchPlans {
  const { settings, nowMs, leaderOf } = now
  const groups = new Map<number, Group>()
  const leaderless: Feed[] = []
  let dueMs = Number.POSITIVE_INFINITY
  const memory = memoryLeft(feeds, settings)
  for (const feed of feeds) {
    if (feed.failure !== undefined || feed.fetchOffset < 0) continue
    if (feed.notBeforeMs > nowMs) {
      dueMs = Math.min(dueMs, feed.notBeforeMs)
      continue
    }
    const leaderId = leaderOf(feed)
    const isOut = feed.paused || feed.bufferedBytes >= memory.share
    if (leaderId >= 0) join(groups, leaderId, feed, { isOut, nowMs })
    else if (!isOut) leaderless.push(feed)
  }
  const asking = [...groups].filter(([, group]) => group.feeds.length > 0)
  const bytesEach = Math.floor(memory.bytes / Math.max(1, asking.length))
  const maxBytes = Math.max(1, Math.min(settings.fetchMaxBytes, bytesEach))
  const fetches = asking.map(([leaderId, group]) => {
    return { leaderId, feeds: group.feeds, maxBytes, maxWaitMs: waitOf(group, settings, nowMs) }
  })
  const againInMs = dueMs === Number.POSITIVE_INFINITY ? undefined : dueMs - nowMs
  return { fetches, leaderless, againInMs }
}

function join(
  groups: Map<number, Group>,
  leaderId: number,
  feed: Feed,
  { isOut, nowMs }: { isOut: boolean; nowMs: number },
): void {
  const group = groups.get(leaderId) ?? { feeds: [], outSinceMs: Number.NEGATIVE_INFINITY }
  groups.set(leaderId, group)
  if (!isOut) {
    feed.outSinceMs = undefined
    group.feeds.push(feed)
    return
  }
  feed.outSinceMs ??= nowMs
  group.outSinceMs = Math.max(group.outSinceMs, feed.outSinceMs)
}

/**
 * A long poll of the idle partitions must not keep out one that is emptied or resumed meanwhile: it lasts no longer
 * than the last one that left has been out, so that such a one waits at most as long again.
 */
function waitOf(group: Group, { fetchMaxWaitMs }: PlanSettings, nowMs: number): number {
  const outForMs = Math.ceil(nowMs - group.outSinceMs)
  return Math.min(fetchMaxWaitMs, Math.max(OUT_WAIT_MS_MIN, outForMs))
}

/**
 * Bytes that may yet come, and how many a partition may hold before it leaves the fetches. Above the bound for all
 * together nothing is fetched, unless nothing can be handed out either, because those who hold the bytes are paused:
 * then partitions that have nothing get one answer's worth, or they would starve.
 */
function memoryLeft(
  feeds: readonly Feed[],
  { prefetchBytes, partitionMaxBytes }: PlanSettings,
): { readonly bytes: number; readonly share: number } {
  let bytes = prefetchBytes
  for (const feed of feeds) bytes -= feed.bufferedBytes
  if (bytes > 0) return { bytes, share: Math.max(1, prefetchBytes / feeds.length) }
  if (feeds.some(({ ready }) => ready)) return { bytes: 0, share: 0 }
  return { bytes: partitionMaxBytes, share: 1 }
}
