// A topic of the broker twin: batches in memory, and the rules of idempotence (REPLICATION 2.10).
import type { Compress } from '@minikafka/platform'
import {
  type Apis,
  checkProducedBatch,
  decodeBatch,
  type ErrorName,
  errorCode,
  type ResponseOf,
  readBatchHeader,
} from '@minikafka/protocol'

type ProduceResult = ResponseOf<Apis['produce']>['results'][number]

export type TwinRecord = {
  readonly partition: number
  readonly offset: number
  readonly timestamp: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly (readonly [string, Buffer | null])[]
}

type Appended = { readonly first: number; readonly last: number; readonly baseOffset: number }
type Producer = { epoch: number; batches: Appended[] }

export type TwinPartition = {
  leaderId: number
  leaderEpoch: number
  nextOffset: number
  readonly batches: { readonly baseOffset: number; readonly bytes: Buffer }[]
  readonly producers: Map<number, Producer>
}

const SEQUENCES = 2 ** 31
const REMEMBERED = 5

export class TwinTopic {
  readonly name: string
  readonly topicId: string
  readonly partitions: TwinPartition[] = []
  /** Stamped on every batch when set. */
  logAppendTimeMs = -1

  constructor(name: string, topicId: string, partitions: number, leaderId: number) {
    this.name = name
    this.topicId = topicId
    for (let index = 0; index < partitions; index++) this.addPartition(leaderId)
  }

  addPartition(leaderId: number): void {
    this.partitions.push({
      leaderId,
      leaderEpoch: 0,
      nextOffset: 0,
      batches: [],
      producers: new Map(),
    })
  }

  lead(partition: number, leaderId: number): void {
    const known = this.partitions[partition] as TwinPartition
    known.leaderId = leaderId
    known.leaderEpoch++
  }

  describe(maxMessageBytes: number): ResponseOf<Apis['metadata']>['topics'][number] {
    const partitions = this.partitions.map(({ leaderId, leaderEpoch }, partition) => ({
      errorCode: leaderId < 0 ? errorCode('LEADER_NOT_AVAILABLE') : 0,
      errorMessage: null,
      partition,
      leaderId,
      leaderEpoch,
      replicas: [1],
      isr: [1],
      elr: [],
    }))
    const { name, topicId } = this
    const fine = { errorCode: 0, errorMessage: null }
    return { ...fine, name, topicId, isInternal: false, maxMessageBytes, partitions }
  }

  append(
    partition: number,
    batch: Uint8Array,
    nodeId: number,
    maxMessageBytes: number,
  ): ProduceResult {
    const known = this.partitions[partition]
    if (known === undefined) return this.#refuse('UNKNOWN_TOPIC_OR_PARTITION')
    if (known.leaderId !== nodeId) return this.#refuse('NOT_LEADER_OR_FOLLOWER', known)
    if (batch.length > maxMessageBytes) return this.#refuse('MESSAGE_TOO_LARGE')
    const complaint = checkProducedBatch(batch)
    if (complaint !== undefined) return this.#refuse(complaint.error)
    const verdict = judge(known, batch)
    if (typeof verdict === 'string') return this.#refuse(verdict)
    const baseOffset = verdict ?? take(known, batch)
    const fine = { errorCode: 0, errorMessage: null, written: 1, logStartOffset: 0 }
    return {
      ...fine,
      baseOffset,
      logAppendTimeMs: this.logAppendTimeMs,
      leaderId: nodeId,
      leaderEpoch: 0,
    }
  }

  records(compress: Compress): TwinRecord[] {
    return this.partitions.flatMap(({ batches }, partition) =>
      batches.flatMap(({ baseOffset, bytes }) =>
        decodeBatch(bytes, compress).map((record, index) => ({
          partition,
          offset: baseOffset + index,
          timestamp: record.timestamp,
          key: record.key,
          value: record.value,
          headers: record.headers,
        })),
      ),
    )
  }

  #refuse(name: ErrorName, known?: TwinPartition): ProduceResult {
    return {
      errorCode: errorCode(name),
      errorMessage: null,
      written: 0,
      baseOffset: -1,
      logAppendTimeMs: -1,
      logStartOffset: -1,
      leaderId: known?.leaderId ?? -1,
      leaderEpoch: known?.leaderEpoch ?? -1,
    }
  }
}

/** An error, the offset of the batch that this one repeats, or undefined: it is new. */
function judge(partition: TwinPartition, batch: Uint8Array): ErrorName | number | undefined {
  const {
    producerId,
    producerEpoch: epoch,
    baseSequence: first,
    recordCount,
  } = readBatchHeader(batch)
  if (producerId < 0) return undefined
  const last = (first + recordCount - 1) % SEQUENCES
  const known = partition.producers.get(producerId)
  if (known === undefined) return first === 0 ? undefined : 'UNKNOWN_PRODUCER_ID'
  if (epoch < known.epoch) return 'INVALID_PRODUCER_EPOCH'
  if (epoch > known.epoch) return first === 0 ? undefined : 'OUT_OF_ORDER_SEQUENCE_NUMBER'
  const same = known.batches.find((one) => one.first === first && one.last === last)
  if (same !== undefined) return same.baseOffset
  const before = known.batches.at(-1)
  return before === undefined || (before.last + 1) % SEQUENCES === first
    ? undefined
    : 'OUT_OF_ORDER_SEQUENCE_NUMBER'
}

function take(partition: TwinPartition, batch: Uint8Array): number {
  const {
    producerId,
    producerEpoch: epoch,
    baseSequence: first,
    recordCount,
  } = readBatchHeader(batch)
  const baseOffset = partition.nextOffset
  partition.nextOffset += recordCount
  partition.batches.push({ baseOffset, bytes: Buffer.from(batch) })
  if (producerId >= 0) {
    const known = partition.producers.get(producerId)
    const batches = known?.epoch === epoch ? known.batches : []
    batches.push({ first, last: (first + recordCount - 1) % SEQUENCES, baseOffset })
    partition.producers.set(producerId, { epoch, batches: batches.slice(-REMEMBERED) })
  }
  return baseOffset
}
