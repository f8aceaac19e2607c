// The options of a producer: checked, then resolved once.
import type { CompressionName } from '@minikafka/platform'
import {
  boolean,
  callable,
  checkOptions,
  integer,
  invalidOption,
  type OptionRules,
  oneOf,
} from '../core/index.ts'
import { roundRobin } from './partitioner.ts'
import type { Partitioner, ProducerOptions } from './types.ts'

export type ProducerSettings = {
  /** As Produce says it: -1 all, 1 leader, 0 none. */
  readonly acks: -1 | 0 | 1
  readonly idempotent: boolean
  readonly lingerMs: number
  readonly maxBatchBytes: number
  readonly maxBufferedBytes: number
  /** From here `push` answers false. */
  readonly highWaterBytes: number
  /** Below this `drained` resolves. */
  readonly lowWaterBytes: number
  readonly maxInFlight: number
  readonly onFull: 'wait' | 'error'
  readonly deliveryTimeoutMs: number
  readonly partitioner: Partitioner
  readonly compression: CompressionName
}

/** What brokers remember of a producer per partition (REPLICATION 2.10). */
const IDEMPOTENT_IN_FLIGHT_MAX = 5
const ACKS = { all: -1, leader: 1, none: 0 } as const

export function resolveProducerOptions(given: ProducerOptions | undefined): ProducerSettings {
  const options = checkOptions<ProducerOptions>('client.producer', given, rules)
  const acks = ACKS[options.acks ?? 'all']
  const maxInFlight = options.maxInFlight ?? IDEMPOTENT_IN_FLIGHT_MAX
  const possible = acks === -1 && maxInFlight <= IDEMPOTENT_IN_FLIGHT_MAX
  if (options.idempotent === true && !possible) {
    const [name, need] = acks === -1 ? ['maxInFlight', 'at most 5'] : ['acks', "'all'"]
    throw invalidOption(`client.producer: idempotent needs ${name} to be ${need}`, name)
  }
  const maxBufferedBytes = options.maxBufferedBytes ?? 32 * 2 ** 20
  return Object.freeze({
    acks,
    idempotent: options.idempotent ?? possible,
    lingerMs: options.lingerMs ?? 5,
    maxBatchBytes: options.maxBatchBytes ?? 2 ** 20,
    maxBufferedBytes,
    highWaterBytes: Math.floor(maxBufferedBytes / 4),
    lowWaterBytes: Math.floor(maxBufferedBytes / 8),
    maxInFlight,
    onFull: options.onFull ?? 'wait',
    deliveryTimeoutMs: options.deliveryTimeoutMs ?? 120_000,
    partitioner: options.partitioner ?? roundRobin(),
    compression: options.compression ?? 'none',
  })
}

const notYet = () => 'absent: this version has no transactions'

const rules: OptionRules<
  ProducerOptions & { transactionalId: unknown; transactionTimeoutMs: unknown }
> = {
  acks: oneOf('all', 'leader', 'none'),
  idempotent: boolean,
  lingerMs: integer(0, 60_000),
  maxBatchBytes: integer(1024, 15 * 2 ** 20),
  maxBufferedBytes: integer(64 * 2 ** 10),
  maxInFlight: integer(1, 100),
  onFull: oneOf('wait', 'error'),
  deliveryTimeoutMs: integer(1, 2 ** 31 - 1),
  partitioner: callable,
  compression: oneOf('none', 'gzip', 'lz4', 'snappy', 'zstd'),
  transactionalId: notYet,
  transactionTimeoutMs: notYet,
}
