// How far behind groups are: in records, and in seconds by the age of the first record that was not read. Also of groups
// that nobody reads for any more. Enters: committed positions and logs. Leaves: gauges by group and topic, bounded.
import type { Groups } from '@minikafka/coordinator'
import type { Env } from '@minikafka/platform'
import { isMinikafkaError, readBatchHeader } from '@minikafka/protocol'
import { Gauge, type Registry } from 'prom-client'
import type { Partition } from '../partition/index.ts'
import type { Watched } from './watched.ts'

/** Pairs of group and topic that have series, those that are furthest behind first. */
const SERIES_MAX = 1_000
/** Groups that are looked at in one turn of the loop. */
const GROUPS_AT_ONCE = 100
/** Batches that are read from the disk for one page; what is not known yet has no seconds until a later one. */
const READS_MAX = 100

type Lag = {
  readonly group: string
  readonly topic: string
  records: number
  /** Where it stands in partitions where something is unread. */
  readonly behind: { readonly partition: Partition; readonly from: number }[]
}
type Age = { readonly from: number; readonly timestampMs: number }

export class GroupLag {
  readonly #env: Env
  readonly #watched: Watched
  readonly #records: Gauge
  readonly #seconds: Gauge
  readonly #leftOut: Gauge
  readonly #count: Gauge
  readonly #loading: Gauge
  /** Of first unread records, by group and partition: a group that stands still is read for once. */
  #ages = new Map<string, Age>()

  constructor(env: Env, watched: Watched, registry: Registry) {
    this.#env = env
    this.#watched = watched
    const labelNames = ['group', 'topic']
    const gauge = (name: string, help: string, labels: string[] = []) =>
      new Gauge({ name, help, labelNames: labels, registers: [registry] })
    this.#records = gauge(
      'minikafka_group_lag_records',
      'Offsets between what a group committed and the high watermark, by group and topic.',
      labelNames,
    )
    this.#seconds = gauge(
      'minikafka_group_lag_seconds',
      'Age of the oldest batch with a record that the group has not finished, by group and topic.',
      labelNames,
    )
    this.#leftOut = gauge(
      'minikafka_group_lag_left_out',
      'Pairs of group and topic that are one too many for this page, those least behind.',
    )
    this.#count = gauge('minikafka_groups', 'Groups that this broker looks after.')
    this.#loading = gauge('minikafka_groups_loading', 'Partitions of groups that are not loaded.')
  }

  /** Looks at all groups; resolves when the gauges say what it saw. */
  async look(): Promise<void> {
    const { groups } = this.#watched
    const facts = groups.facts
    this.#count.set(facts.reduce((sum, { groupCount }) => sum + groupCount, 0))
    this.#loading.set(facts.filter(({ isLoading }) => isLoading).length)
    const lags = (await this.#lags()).sort((a, b) => b.records - a.records)
    this.#leftOut.set(Math.max(0, lags.length - SERIES_MAX))
    const shown = lags.slice(0, SERIES_MAX)
    const seconds = await this.#secondsOf(shown)
    this.#records.reset()
    this.#seconds.reset()
    for (const [index, { group, topic, records }] of shown.entries()) {
      this.#records.set({ group, topic }, records)
      const age = seconds[index]
      if (age !== undefined) this.#seconds.set({ group, topic }, age)
    }
  }

  async #lags(): Promise<Lag[]> {
    const lags: Lag[] = []
    let count = 0
    for (const machine of [...this.#watched.groups.serving()])
      for (const group of machine.groupIds()) {
        for (const lag of this.#lagsOf(machine, group)) lags.push(lag)
        if (++count % GROUPS_AT_ONCE === 0)
          await new Promise<void>((resolve) => this.#env.clock.soon(resolve))
      }
    return lags
  }

  #lagsOf(machine: Groups, group: string): Iterable<Lag> {
    const byTopic = new Map<string, Lag>()
    for (const { topicId, partition: number, offset } of positionsOf(machine, group)) {
      const partition = this.#watched.partitions.get(topicId, number)
      if ('error' in partition || partition.log === undefined) continue
      const { topic, highWatermark, log } = partition
      const lag: Lag = byTopic.get(topicId) ?? { group, topic, records: 0, behind: [] }
      byTopic.set(topicId, lag)
      const from = Math.max(offset, log.logStartOffset)
      if (from >= highWatermark) continue
      lag.records += highWatermark - from
      lag.behind.push({ partition, from })
    }
    return byTopic.values()
  }

  // --- in seconds ----------------------------------------------------------------------------

  async #secondsOf(lags: readonly Lag[]): Promise<(number | undefined)[]> {
    const before = this.#ages
    this.#ages = new Map()
    const reads = { left: READS_MAX }
    const seconds: (number | undefined)[] = []
    for (const lag of lags) seconds.push(await this.#ageOf(lag, before, reads))
    return seconds
  }

  async #ageOf({ group, behind }: Lag, before: ReadonlyMap<string, Age>, reads: { left: number }) {
    if (behind.length === 0) return 0
    let oldestMs: number | undefined
    for (const { partition, from } of behind) {
      const key = `${group}\n${partition.topicId}\n${partition.number}`
      const known = before.get(key)
      const age = known?.from === from ? known : await read(partition, from, reads)
      if (age === undefined) continue
      this.#ages.set(key, age)
      oldestMs = Math.min(oldestMs ?? Number.POSITIVE_INFINITY, age.timestampMs)
    }
    return oldestMs && Math.max(0, this.#env.clock.wallMs() - oldestMs) / 1000
  }
}

function positionsOf(machine: Groups, groupId: string) {
  try {
    const all = { groupId, memberId: null, memberEpoch: -1, requireStable: false, partitions: null }
    return machine.fetchOffsets(all).results
  } catch (error) {
    if (isMinikafkaError(error)) return [] // More positions than an answer can hold.
    throw error
  }
}

/** Of the batch that holds the record; from memory where readers keep up. Undefined: unknown, perhaps next time. */
async function read(
  partition: Partition,
  from: number,
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
