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

/** The shortest wait while partitions of the same broker have their share. */
const FULL_WAIT_MS_MIN = 5

/** Feeds of one broker: those to ask for, and since when the last one that became full is full. */
type Group = { readonly feeds: Feed[]; fullSinceMs: number }

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
    if (feed.paused || feed.failure !== undefined || feed.fetchOffset < 0) continue
    if (feed.notBeforeMs > nowMs) {
      dueMs = Math.min(dueMs, feed.notBeforeMs)
      continue
    }
    const leaderId = leaderOf(feed)
    if (leaderId < 0) leaderless.push(feed)
    else join(groups, leaderId, feed, { isFull: feed.bufferedBytes >= memory.share, nowMs })
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
  { isFull, nowMs }: { isFull: boolean; nowMs: number },
): void {
  const group = groups.get(leaderId) ?? { feeds: [], fullSinceMs: Number.NEGATIVE_INFINITY }
  groups.set(leaderId, group)
  if (!isFull) {
    feed.fullSinceMs = undefined
    group.feeds.push(feed)
    return
  }
  feed.fullSinceMs ??= nowMs
  group.fullSinceMs = Math.max(group.fullSinceMs, feed.fullSinceMs)
}

/**
 * A long poll of the idle partitions must not keep out one that its reader has emptied meanwhile: it lasts no longer
 * than the last one that became full has been full, so at most as long again as the reader took.
 */
function waitOf(group: Group, { fetchMaxWaitMs }: PlanSettings, nowMs: number): number {
  const fullForMs = Math.ceil(nowMs - group.fullSinceMs)
  return Math.min(fetchMaxWaitMs, Math.max(FULL_WAIT_MS_MIN, fullForMs))
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
