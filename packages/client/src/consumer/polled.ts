// What poll() handed out last: in hand until something is asked for again, by whichever reading mode.
import type { Feed, Hands } from './feed.ts'
import type { FetchedRecord } from './record.ts'

type Entry = { readonly records: FetchedRecord[]; readonly readGeneration: number }

export class Polled implements Hands {
  readonly #byFeed = new Map<Feed, Entry>()

  add(feed: Feed, records: readonly FetchedRecord[]): void {
    const entry = this.#byFeed.get(feed) ?? { records: [], readGeneration: feed.readGeneration }
    for (const record of records) entry.records.push(record)
    this.#byFeed.set(feed, entry)
    feed.unfinished = entry.records.length
    feed.hands = this
  }

  firstUnfinished(feed: Feed): number | undefined {
    const entry = this.#byFeed.get(feed)
    if (entry === undefined || entry.readGeneration !== feed.readGeneration) return undefined
    return entry.records.find(({ offset }) => !feed.isAcked(offset))?.offset
  }

  /** Also after the partition is gone: whoever polled still works on it. */
  holds(feed: Feed): boolean {
    const entry = this.#byFeed.get(feed)
    if (entry === undefined) return false
    return entry.records.some(({ offset }) => !feed.isAcked(offset, entry.readGeneration))
  }

  /** All of it is finished. Returns how many. */
  settle(): number {
    let count = 0
    for (const [feed, { records, readGeneration }] of this.#byFeed) {
      if (readGeneration !== feed.readGeneration) continue
      count += records.length
      feed.settle()
    }
    this.#byFeed.clear()
    return count
  }
}
