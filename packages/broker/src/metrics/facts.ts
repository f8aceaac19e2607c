// What stands in the rooms of the broker when somebody looks: logs, disk, memory, connections, the process itself.
// Enters: a running broker. Leaves: gauges, and counters that the rooms keep for themselves.
import type { Env } from '@minikafka/platform'
import { Counter, Gauge, type Registry } from 'prom-client'
import type { Partition, Space } from '../partition/index.ts'
import type { Watched } from './watched.ts'

/** Topics that have series of their own, the largest first; the others share one. */
const TOPICS_MAX = 500
/** No topic can be named so. */
const OTHERS = '(others)'
const SPACES: readonly Space[] = ['enough', 'low', 'full', 'spent']

type Sample = readonly [labels: Readonly<Record<string, string>>, value: number]
/** Undefined: it cannot be read now, and there is no sample. */
type Read = () => number | undefined | Promise<number | undefined> | readonly Sample[]

export function watchFacts(env: Env, watched: Watched, registry: Registry): void {
  const look = new Look(registry)
  watchProcess(env, watched, look)
  watchMachine(watched, look)
  watchPartitions(watched, look)
  watchConnections(watched, look)
  watchUpkeep(watched, look)
}

function watchProcess({ program, clock }: Env, watched: Watched, look: Look): void {
  const { nodeId, clusterId, version } = watched
  const labels = {
    version,
    node_id: String(nodeId),
    cluster_id: clusterId,
    node: program.nodeVersion,
  }
  const startedAtS = (clock.wallMs() - program.uptimeMs()) / 1000
  look.gauge('minikafka_build_info', 'Which broker this is; always 1.', () => [[labels, 1]])
  look.gauge(
    'process_start_time_seconds',
    'When the process started, since 1970.',
    () => startedAtS,
  )
  look.counter('process_cpu_seconds_total', 'Processor time.', () => program.cpuMs() / 1000)
  look.gauge(
    'process_resident_memory_bytes',
    'Memory of the process that is in RAM.',
    () => program.memory().rssBytes,
  )
  look.gauge(
    'nodejs_heap_size_used_bytes',
    'JavaScript objects, with those that are garbage.',
    () => program.memory().heapUsedBytes,
  )
  look.gauge(
    'nodejs_external_memory_bytes',
    'Buffers and the like.',
    () => program.memory().externalBytes,
  )
}

function watchMachine({ directory, partitions, memory, values, state }: Watched, look: Look): void {
  look.gauge('minikafka_data_dir_offline', '1: the disk failed, and the broker stops.', () =>
    directory.offline === undefined ? 0 : 1,
  )
  look.gauge('minikafka_disk_free_bytes', 'Free space where the data is.', () =>
    directory.freeBytes().catch(() => undefined),
  )
  look.gauge('minikafka_disk_size_bytes', 'Size of that disk.', () =>
    directory.totalBytes().catch(() => undefined),
  )
  look.gauge(
    'minikafka_disk_space_state',
    '0: enough, 1: low, 2: full (produce is refused), 3: spent (nothing is appended).',
    () => SPACES.indexOf(partitions.space),
  )
  look.gauge('minikafka_memory_budget_bytes', 'The budget of all buffers.', () => {
    return values()['memory.max.bytes']
  })
  look.gauge(
    'minikafka_memory_budget_used_bytes',
    'What frames, answers, reads and compaction have of it.',
    () => memory.bytes,
  )
  look.gauge('minikafka_memory_budget_full', '1: sockets are not read until there is room.', () =>
    memory.full ? 1 : 0,
  )
  look.gauge('minikafka_metadata_revision', 'Revision of the metadata.', () => state.revision)
}

function watchPartitions({ partitions }: Watched, look: Look): void {
  const count = (holds: (partition: Partition) => boolean) => () => {
    let sum = 0
    for (const partition of partitions.all()) if (holds(partition)) sum++
    return sum
  }
  look.gauge('minikafka_partitions', 'Partitions that this broker has.', () => partitions.count)
  look.gauge(
    'minikafka_partitions_led',
    'Those that it leads.',
    count((partition) => partition.isLeader()),
  )
  look.gauge(
    'minikafka_partitions_offline',
    'Those that it has and cannot serve.',
    count(({ offline }) => offline !== undefined),
  )
  const byTopic = (measure: (partition: Partition) => number) => () =>
    topicSamples(partitions.all(), measure)
  look.gauge(
    'minikafka_topic_partitions',
    'Partitions, by topic.',
    byTopic(() => 1),
  )
  look.gauge(
    'minikafka_log_size_bytes',
    'Segment files, by topic.',
    byTopic(({ log }) => log?.sizeBytes ?? 0),
  )
  look.gauge(
    'minikafka_log_segments',
    'Segments, by topic.',
    byTopic(({ log }) => log?.segmentCount ?? 0),
  )
  look.counter(
    'minikafka_topic_offsets_total',
    'Log end offsets together, by topic: its rate is that of records written.',
    byTopic(({ log }) => log?.logEndOffset ?? 0),
  )
}

/** A sum for each topic. Where there are too many, those with the least go into one. */
function topicSamples(
  all: Iterable<Partition>,
  measure: (partition: Partition) => number,
): Sample[] {
  const sums = new Map<string, number>()
  for (const partition of all) {
    const { topic } = partition
    sums.set(topic, (sums.get(topic) ?? 0) + measure(partition))
  }
  if (sums.size <= TOPICS_MAX) return [...sums].map(([topic, value]) => [{ topic }, value])
  const sorted = [...sums].sort(([, a], [, b]) => b - a)
  const others = sorted.slice(TOPICS_MAX).reduce((sum, [, value]) => sum + value, 0)
  const own = sorted.slice(0, TOPICS_MAX).map(([topic, value]): Sample => [{ topic }, value])
  return [...own, [{ topic: OTHERS }, others]]
}

function watchConnections({ listeners }: Watched, look: Look): void {
  const of = (field: 'connections' | 'receivedBytes' | 'sentBytes') => () =>
    listeners().map((facts): Sample => [{ listener: facts.listener }, facts[field]])
  look.gauge('minikafka_connections', 'Open connections, by listener.', of('connections'))
  look.counter(
    'minikafka_network_received_bytes_total',
    'Bytes that clients sent, by listener.',
    of('receivedBytes'),
  )
  look.counter(
    'minikafka_network_sent_bytes_total',
    'Bytes of answers, by listener.',
    of('sentBytes'),
  )
}

function watchUpkeep({ cleaned, scrubbed }: Watched, look: Look): void {
  look.counter('minikafka_compaction_passes_total', 'Passes over a log.', () => cleaned.passes)
  look.counter('minikafka_compaction_failures_total', 'Passes that failed.', () => cleaned.failures)
  look.counter(
    'minikafka_compaction_read_bytes_total',
    'Bytes that compaction read.',
    () => cleaned.bytesRead,
  )
  look.counter(
    'minikafka_compaction_written_bytes_total',
    'Bytes that compaction wrote.',
    () => cleaned.bytesWritten,
  )
  look.counter(
    'minikafka_compaction_dropped_records_total',
    'Records that compaction dropped.',
    () => cleaned.droppedRecords,
  )
  look.counter('minikafka_scrub_logs_total', 'Logs that were read for rot.', () => scrubbed.logs)
  look.counter('minikafka_scrub_read_bytes_total', 'Bytes of that.', () => scrubbed.bytes)
  look.counter(
    'minikafka_scrub_damages_total',
    'Places where that found damage.',
    () => scrubbed.damages,
  )
}

/** Metrics whose value is read when the page is made. */
class Look {
  readonly #registry: Registry

  constructor(registry: Registry) {
    this.#registry = registry
  }

  gauge(name: string, help: string, read: Read): void {
    this.#add(name, help, read, Gauge)
  }

  counter(name: string, help: string, read: Read): void {
    this.#add(name, help, read, Counter)
  }

  #add(name: string, help: string, read: Read, Kind: typeof Gauge | typeof Counter): void {
    const metric: Gauge | Counter = new Kind({
      name,
      help,
      labelNames: labelsOf(name),
      registers: [this.#registry],
      // Anew each time: what is gone has no sample.
      collect: async () => {
        const value = await read()
        metric.reset()
        if (typeof value === 'number') metric.inc(value)
        else for (const [labels, sample] of value ?? []) metric.inc(labels, sample)
        if (value === undefined) metric.remove()
      },
    })
  }
}

const LABELS: Readonly<Record<string, readonly string[]>> = {
  minikafka_build_info: ['version', 'node_id', 'cluster_id', 'node'],
  minikafka_topic_partitions: ['topic'],
  minikafka_log_size_bytes: ['topic'],
  minikafka_log_segments: ['topic'],
  minikafka_topic_offsets_total: ['topic'],
  minikafka_connections: ['listener'],
  minikafka_network_received_bytes_total: ['listener'],
  minikafka_network_sent_bytes_total: ['listener'],
}

function labelsOf(name: string): string[] {
  return [...(LABELS[name] ?? [])]
}
