// What stands in the rooms of the broker at this moment: process, memory, connections, upkeep.
// Enters: a running broker. Leaves: gauges, and counters that the rooms keep for themselves.
import type { Env } from '@minikafka/platform'
import type { Space } from '../partition/index.ts'
import { labelText, type PageText, type Sample } from './page-text.ts'
import type { Watched } from './watched.ts'

const SPACES: readonly Space[] = ['enough', 'low', 'full', 'spent']

export function writeFacts(page: PageText, env: Env, watched: Watched): void {
  writeProcess(page, env, watched)
  writeMachine(page, watched)
  writeConnections(page, watched)
  writeUpkeep(page, watched)
}

function writeProcess(page: PageText, { program, clock }: Env, watched: Watched): void {
  const { nodeId, clusterId, version } = watched
  const which = labelText({
    version,
    node_id: String(nodeId),
    cluster_id: clusterId,
    node: program.nodeVersion,
  })
  const startedAtS = (clock.wallMs() - program.uptimeMs()) / 1000
  const { rssBytes, heapUsedBytes, externalBytes } = program.memory()
  page.gauge('minikafka_build_info', 'Which broker this is; always 1.', [[which, 1]])
  page.gauge('process_start_time_seconds', 'When the process started, since 1970.', startedAtS)
  page.counter('process_cpu_seconds_total', 'Processor time.', program.cpuMs() / 1000)
  page.gauge('process_resident_memory_bytes', 'Memory of the process that is in RAM.', rssBytes)
  page.gauge(
    'nodejs_heap_size_used_bytes',
    'JavaScript objects, with those that are garbage.',
    heapUsedBytes,
  )
  page.gauge('nodejs_external_memory_bytes', 'Buffers and the like.', externalBytes)
}

function writeMachine(page: PageText, watched: Watched): void {
  const { partitions, memory, values, state } = watched
  page.gauge(
    'minikafka_disk_space_state',
    '0: enough, 1: low, 2: full (produce is refused), 3: spent (nothing is appended).',
    SPACES.indexOf(partitions.space),
  )
  page.gauge(
    'minikafka_memory_budget_bytes',
    'The budget of all buffers.',
    values()['memory.max.bytes'],
  )
  page.gauge(
    'minikafka_memory_budget_used_bytes',
    'What frames, answers, reads and compaction have of it.',
    memory.bytes,
  )
  page.gauge(
    'minikafka_memory_budget_full',
    '1: sockets are not read until there is room.',
    Number(memory.full),
  )
  page.gauge('minikafka_metadata_revision', 'Revision of the metadata.', state.revision)
}

function writeConnections(page: PageText, { listeners }: Watched): void {
  const facts = listeners().map((one) => ({
    ...one,
    labels: labelText({ listener: one.listener }),
  }))
  const of = (field: 'connections' | 'receivedBytes' | 'sentBytes') =>
    facts.map((one): Sample => [one.labels, one[field]])
  page.gauge('minikafka_connections', 'Open connections, by listener.', of('connections'))
  page.counter(
    'minikafka_network_received_bytes_total',
    'Bytes that clients sent, by listener.',
    of('receivedBytes'),
  )
  page.counter(
    'minikafka_network_sent_bytes_total',
    'Bytes of answers, by listener.',
    of('sentBytes'),
  )
}

function writeUpkeep(page: PageText, { cleaned, scrubbed }: Watched): void {
  page.counter('minikafka_compaction_passes_total', 'Passes over a log.', cleaned.passes)
  page.counter('minikafka_compaction_failures_total', 'Passes that failed.', cleaned.failures)
  page.counter(
    'minikafka_compaction_read_bytes_total',
    'Bytes that compaction read.',
    cleaned.bytesRead,
  )
  page.counter(
    'minikafka_compaction_written_bytes_total',
    'Bytes that compaction wrote.',
    cleaned.bytesWritten,
  )
  page.counter(
    'minikafka_compaction_dropped_records_total',
    'Records that compaction dropped.',
    cleaned.droppedRecords,
  )
  page.counter('minikafka_scrub_logs_total', 'Logs that were read for rot.', scrubbed.logs)
  page.counter('minikafka_scrub_read_bytes_total', 'Bytes of that.', scrubbed.bytes)
  page.counter('minikafka_scrub_damages_total', 'Places where that found damage.', scrubbed.damages)
}
