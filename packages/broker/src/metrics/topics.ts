// Partitions on the page: how many there are, and sums by topic. Enters: all partitions. Leaves: gauges and counters,
// bounded. However many there are, others have their turn of the loop in between.
import type { Clock } from '@minikafka/platform'
import type { Partition, Partitions } from '../partition/index.ts'
import { labelText, type PageText, type Sample } from './page-text.ts'
import { turn } from './slices.ts'

/** Topics that have series of their own, the largest first; the others share one. */
const TOPICS_MAX = 500
/** No topic can be named so. */
const OTHERS = '(others)'
/** Partitions that are looked at in one turn of the loop. */
const PARTITIONS_AT_ONCE = 1_000

type Sums = { partitions: number; bytes: number; segments: number; offsets: number }
type OfTopic = readonly [topic: string, sums: Sums]

export async function writePartitions(
  page: PageText,
  clock: Clock,
  partitions: Partitions,
): Promise<void> {
  const topics = new Map<string, Sums>()
  let [count, led, offline] = [0, 0, 0]
  for (const partition of [...partitions.all()]) {
    if (++count % PARTITIONS_AT_ONCE === 0) await turn(clock)
    if (partition.isLeader()) led++
    if (partition.offline !== undefined) offline++
    const sums = topics.get(partition.topic) ?? nothing()
    topics.set(partition.topic, sums)
    add(sums, ofPartition(partition))
  }
  page.gauge('minikafka_partitions', 'Partitions that this broker has.', count)
  page.gauge('minikafka_partitions_led', 'Those that it leads.', led)
  page.gauge('minikafka_partitions_offline', 'Those that it has and cannot serve.', offline)
  await turn(clock)
  writeTopics(page, bounded([...topics]))
}

function writeTopics(page: PageText, topics: readonly OfTopic[]): void {
  const labelled = topics.map(([topic, sums]) => ({ labels: labelText({ topic }), sums }))
  const of = (field: keyof Sums) =>
    labelled.map(({ labels, sums }): Sample => [labels, sums[field]])
  page.gauge('minikafka_topic_partitions', 'Partitions, by topic.', of('partitions'))
  page.gauge('minikafka_log_size_bytes', 'Segment files, by topic.', of('bytes'))
  page.gauge('minikafka_log_segments', 'Segments, by topic.', of('segments'))
  page.counter(
    'minikafka_topic_offsets_total',
    'Log end offsets together, by topic: its rate is that of records written.',
    of('offsets'),
  )
}

/** Where there are too many, the smallest go into one: the same ones in all families. */
function bounded(topics: readonly OfTopic[]): readonly OfTopic[] {
  if (topics.length <= TOPICS_MAX) return topics
  const sorted = [...topics].sort(([, a], [, b]) => b.bytes - a.bytes)
  const others = nothing()
  for (const [, sums] of sorted.slice(TOPICS_MAX)) add(others, sums)
  return [...sorted.slice(0, TOPICS_MAX), [OTHERS, others]]
}

function ofPartition({ log }: Partition): Sums {
  return {
    partitions: 1,
    bytes: log?.sizeBytes ?? 0,
    segments: log?.segmentCount ?? 0,
    offsets: log?.logEndOffset ?? 0,
  }
}

function nothing(): Sums {
  return { partitions: 0, bytes: 0, segments: 0, offsets: 0 }
}

function add(to: Sums, { partitions, bytes, segments, offsets }: Sums): void {
  to.partitions += partitions
  to.bytes += bytes
  to.segments += segments
  to.offsets += offsets
}
