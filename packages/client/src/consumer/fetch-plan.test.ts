import { expect, test } from 'vitest'
import { compress, numbered } from '../../test/record-batches.ts'
import { Feed } from './feed.ts'
import { planFetches } from './fetch-plan.ts'

const settings = {
  prefetchBytes: 1000,
  partitionMaxBytes: 100,
  fetchMaxBytes: 800,
  fetchMaxWaitMs: 500,
}

function feedOf(partition: number, bufferedBytes = 0): Feed {
  const feed = new Feed(compress, { topic: 'orders', partition, start: 0, onAck() {} })
  feed.seek(0)
  feed.bufferedBytes = bufferedBytes
  return feed
}

function plan(feeds: readonly Feed[], nowMs = 0, leaderOf = (_: Feed) => 1) {
  return planFetches(feeds, { settings, nowMs, leaderOf })
}

const partitionsOf = (feeds: readonly Feed[]) => feeds.map(({ partition }) => partition)

test('one fetch per broker, within the memory that is left, divided among them', () => {
  const feeds = [feedOf(0), feedOf(1), feedOf(2, 300)]
  const { fetches } = plan(feeds, 0, ({ partition }) => (partition === 1 ? 2 : 1))
  expect(fetches).toMatchObject([
    { leaderId: 1, maxBytes: 350, maxWaitMs: 500 },
    { leaderId: 2, maxBytes: 350, maxWaitMs: 500 },
  ])
  expect(fetches.map((fetch) => partitionsOf(fetch.feeds))).toEqual([[0, 2], [1]])
})

test('no answer is larger than fetchMaxBytes', () => {
  expect(plan([feedOf(0)]).fetches).toMatchObject([{ maxBytes: 800 }])
})

test('out are those that are paused, have their share, failed, or do not know where to begin', () => {
  const paused = feedOf(0)
  paused.paused = true
  const failed = feedOf(2)
  failed.failure = new Error('no') as never
  const unresolved = feedOf(3)
  unresolved.restart('earliest')
  const { fetches } = plan([paused, feedOf(1, 200), failed, unresolved, feedOf(4)])
  expect(partitionsOf(fetches[0]?.feeds ?? [])).toEqual([4])
})

test('those that back off are out until they are due, and it is said when that is', () => {
  const soon = feedOf(0)
  soon.notBeforeMs = 70
  const later = feedOf(1)
  later.notBeforeMs = 90
  expect(plan([soon, later], 50)).toEqual({ fetches: [], leaderless: [], againInMs: 20 })
  expect(plan([soon, later], 70).fetches).toHaveLength(1)
})

test('without a leader nobody can be asked', () => {
  const feeds = [feedOf(0), feedOf(1)]
  const { fetches, leaderless } = plan(feeds, 0, ({ partition }) => (partition === 0 ? -1 : 1))
  expect([partitionsOf(leaderless), fetches.length]).toEqual([[0], 1])
})

test('a poll lasts no longer than the last partition that left is out, between 5 ms and the most', () => {
  const full = feedOf(0, 900)
  const idle = feedOf(1)
  const waitAt = (nowMs: number) => plan([full, idle], nowMs).fetches[0]?.maxWaitMs
  expect([waitAt(1000), waitAt(1004), waitAt(1040), waitAt(9000)]).toEqual([5, 5, 40, 500])
  full.bufferedBytes = 0
  expect(waitAt(9001)).toBe(500)
})

test('above the bound nothing is fetched, unless there is nothing to hand out either', () => {
  const holder = feedOf(0)
  holder.take({ blobs: [numbered(0, 100)], aborted: [], gapsBelow: 0 })
  expect(holder.bufferedBytes).toBeGreaterThan(settings.prefetchBytes)
  const starving = feedOf(1)
  expect(plan([holder, starving]).fetches).toEqual([])
  holder.paused = true
  const { fetches } = plan([holder, starving, feedOf(2, 50)])
  expect(partitionsOf(fetches[0]?.feeds ?? [])).toEqual([1])
  expect(fetches[0]?.maxBytes).toBe(settings.partitionMaxBytes)
})
