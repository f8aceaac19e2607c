import { expect, test } from 'vitest'
import { compress, numbered } from '../../test/record-batches.ts'
import { Feed } from './feed.ts'
import { reasonOf } from './watch.ts'

function feedAt(position: number, end: number): Feed {
  const feed = new Feed(compress, { topic: 'orders', partition: 0, start: 0, onAck() {} })
  feed.seek(position)
  feed.end = end
  return feed
}

test('a partition at its end waits for nothing, one before it for a fetch', () => {
  expect(reasonOf(feedAt(3, 3))).toBeUndefined()
  expect(reasonOf(feedAt(2, 3))).toBe('fetch')
})

test('what is here waits for a handler, unless the user paused it', () => {
  const feed = feedAt(0, 3)
  feed.take({ blobs: [numbered(0, 3)], aborted: [], gapsBelow: 0 })
  expect(reasonOf(feed)).toBe('handler')
  feed.paused = true
  expect(reasonOf(feed)).toBe('paused')
})

test('a record in hand waits for its handler, also at the end of the log', () => {
  const feed = feedAt(3, 3)
  feed.unfinished = 1
  expect(reasonOf(feed)).toBe('handler')
})
