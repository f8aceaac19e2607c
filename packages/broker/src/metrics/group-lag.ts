// How far behind groups are: in records, and in seconds by the age of the first record that was not read. Also of groups
// that nobody reads for any more. Enters: committed positions and logs. Leaves: gauges by group and topic, bounded.
import type { Env } from '@minikafka/platform'
import { isMinikafkaError, readBatchHeader } from '@minikafka/protocol'
import type { Partition } from '../partition/index.ts'
import { type LabelText, labelText, type PageText, type Sample } from './page-text.ts'
import { Patience } from './patience.ts'
import { Slices, turn } from './slices.ts'
import type { Watched } from './watched.ts'

/** Pairs of group and topic that have series, those that are furthest behind first. */
const SERIES_MAX = 1_000
/** Batches that are read from the disk for one page; what is not known yet has no seconds until a later one. */
const READS_MAX = 100
/** Ages that are kept from one page to the next. */
const AGES_MAX = 10_000
/** After a look that was no trifle the next one waits: it takes this part of the processor's time at most. */
const SHARE = 1 / 50
const TRIFLE_MS = 20

type Lag = {
  readonly positions: ReadonlyMap<number, Position>
  readonly group: string
  readonly topic: string
  readonly topicId: string
  readonly records: number
}
type Position = { readonly offset: number }
type Behind = { readonly partition: Partition; readonly from: number }
type Age = { readonly from: number; readonly timestampMs: number }
type Shown = {
  readonly labels: LabelText
  readonly records: number
  readonly oldestMs: number | undefined
}

export class GroupLag {
  readonly #env: Env
  readonly #watched: Watched
  /** Of first unread records, by group and partition: a group that stands still is read for once. */
  #ages = new Map<string, Age>()
  #shown: readonly Shown[] = []
  #leftOutCount = 0
  readonly #patience: Patience
  #nextMs = Number.NEGATIVE_INFINITY

  constructor(env: Env, watched: Watched) {
    this.#env = env
    this.#watched = watched
    this.#patience = new Patience(env.clock, () => this.#look())
  }

  async write(page: PageText): Promise<void> {
    // A look that takes long goes on for later pages; this one tells of the look before.
    if (this.#isDue) await this.#patience.wait()
    await turn(this.#env.clock)
    const facts = this.#watched.groups.facts
    const groupCount = facts.reduce((sum, host) => sum + host.groupCount, 0)
    page.gauge('minikafka_groups', 'Groups that this broker looks after.', groupCount)
    page.gauge(
      'minikafka_groups_loading',
      'Partitions of groups that are not loaded.',
      facts.filter(({ isLoading }) => isLoading).length,
    )
    page.gauge(
      'minikafka_group_lag_records',
      'Offsets between what a group committed and the high watermark, by group and topic.',
      this.#shown.map(({ labels, records }): Sample => [labels, records]),
    )
    page.gauge(
      'minikafka_group_lag_seconds',
      'Age of the oldest batch with a record that the group has not finished, by group and topic.',
      this.#seconds(),
    )
    page.gauge(
      'minikafka_group_lag_left_out',
      'Pairs of group and topic that are one too many for this page, those least behind.',
      this.#leftOutCount,
    )
  }

  *#seconds(): Iterable<Sample> {
    const nowMs = this.#env.clock.wallMs()
    for (const { labels, records, oldestMs } of this.#shown) {
      if (records === 0) yield [labels, 0]
      else if (oldestMs !== undefined) yield [labels, Math.max(0, nowMs - oldestMs) / 1000]
    }
  }

  // --- looks ---------------------------------------------------------------------------------

  get #isDue(): boolean {
    return this.#env.clock.monotonicMs() >= this.#nextMs
  }

  async #look(): Promise<void> {
    const { clock } = this.#env
    const slices = new Slices(clock)
    const lags = await this.#furthest(slices)
    const before = this.#ages
    this.#ages = new Map()
    const reads = { left: READS_MAX }
    const shown: Shown[] = []
    for (const lag of lags) {
      const oldestMs = await this.#oldestOf(lag, before, reads, slices)
      const { group, topic, records } = lag
      shown.push({ labels: labelText({ group, topic }), records, oldestMs })
    }
    this.#shown = shown
    const tookMs = slices.workedMs
    this.#nextMs = clock.monotonicMs() + (tookMs < TRIFLE_MS ? 0 : tookMs / SHARE)
  }

  /** As many as have series, those that are furthest behind first; the others are counted. */
  async #furthest(slices: Slices): Promise<Lag[]> {
    const lags: Lag[] = []
    let count = 0
    for (const machine of [...this.#watched.groups.serving()])
      for (const [group, topics] of machine.positions())
        for (const [topicId, positions] of topics) {
          const topic = await this.#topicBehind(topicId, positions, slices)
          if (topic === undefined) continue
          count++
          lags.push({ positions, group, topicId, ...topic })
          if (lags.length === 2 * SERIES_MAX) cut(lags)
        }
    this.#leftOutCount = Math.max(0, count - SERIES_MAX)
    return cut(lags)
  }

  /** Undefined: the topic is gone. */
  async #topicBehind(topicId: string, positions: Lag['positions'], slices: Slices) {
    let topic: string | undefined
    let records = 0
    for (const [number, position] of positions) {
      if (slices.isOver) await slices.next()
      const behind = this.#behind(topicId, number, position)
      if (behind === undefined) continue
      topic = behind.partition.topic
      records += Math.max(0, behind.partition.highWatermark - behind.from)
    }
    return topic === undefined ? undefined : { topic, records }
  }

  #behind(topicId: string, number: number, { offset }: Position): Behind | undefined {
    const partition = this.#watched.partitions.get(topicId, number)
    if ('error' in partition || partition.log === undefined) return undefined
    return { partition, from: Math.max(offset, partition.log.logStartOffset) }
  }

  // --- in seconds ----------------------------------------------------------------------------

  /** The time of the oldest batch that it has not finished; undefined where none is known. */
  async #oldestOf(
    { positions, group, topicId, records }: Lag,
    before: ReadonlyMap<string, Age>,
    reads: { left: number },
    slices: Slices,
  ): Promise<number | undefined> {
    if (records === 0) return undefined
    let oldestMs: number | undefined
    for (const [number, position] of positions) {
      if (slices.isOver) await slices.next()
      const behind = this.#behind(topicId, number, position)
      if (behind === undefined || behind.from >= behind.partition.highWatermark) continue
      const key = `${group}\n${topicId}\n${number}`
      const known = before.get(key)
      const age = known?.from === behind.from ? known : await slices.away(read(behind, reads))
      if (age === undefined || this.#ages.size >= AGES_MAX) continue
      this.#ages.set(key, age)
      oldestMs = Math.min(oldestMs ?? Number.POSITIVE_INFINITY, age.timestampMs)
    }
    return oldestMs
  }
}

/** Cut again and again, so that there is never a long list to sort. */
function cut(lags: Lag[]): Lag[] {
  lags.sort((a, b) => b.records - a.records)
  if (lags.length > SERIES_MAX) lags.length = SERIES_MAX
  return lags
}

/** Of the batch that holds the record; from memory where readers keep up. Undefined: unknown, perhaps next time. */
async function read(
  { partition, from }: Behind,
  reads: { left: number },
): Promise<Age | undefined> {
  try {
    if (reads.left <= 0) return undefined
    const slice = partition.log?.read(from, partition.highWatermark, 1, true)
    if (slice instanceof Promise) reads.left--
    const [batch] = (await slice)?.buffers ?? []
    if (batch === undefined) return undefined
    const { timestampType, baseTimestamp, maxTimestamp } = readBatchHeader(batch)
    return { from, timestampMs: timestampType === 'append' ? maxTimestamp : baseTimestamp }
  } catch (error) {
    if (isMinikafkaError(error)) return undefined // Deleted meanwhile, or damaged: told elsewhere.
    throw error
  }
}
