// Which partition a record goes to. Keys: Kafka's murmur2, so that every client agrees. Without a key: in turn.
import { murmur2 } from '@minikafka/protocol'
import type { Bytes } from '../words.ts'
import type { Partitioner } from './types.ts'

/** The two that are ours are known to the producer, which then needs no object per record. */
const BUILT_IN = Symbol('minikafka.partitioner')

type BuiltIn = 'round-robin' | 'sticky'

/** Key: murmur2. No key: the next partition that has a leader, record by record. The default. */
export function roundRobin(): Partitioner {
  const next = new Map<string, number>()
  return builtIn('round-robin', ({ topic, key, partitionCount, available }) => {
    if (key !== null) return partitionOfKey(key, partitionCount)
    const turn = next.get(topic) ?? 0
    next.set(topic, turn + 1)
    return available[turn % available.length] ?? turn % partitionCount
  })
}

/** Key: murmur2. No key: one partition until its batch is sealed. For many partitions and tiny records. */
export function sticky(): Partitioner {
  return builtIn('sticky', ({ key, partitionCount, available }) =>
    key === null ? (available[0] ?? 0) : partitionOfKey(key, partitionCount),
  )
}

export function builtInKind(partitioner: Partitioner): BuiltIn | undefined {
  return (partitioner as { [BUILT_IN]?: BuiltIn })[BUILT_IN]
}

function builtIn(kind: BuiltIn, choose: Partitioner): Partitioner {
  return Object.assign(choose, { [BUILT_IN]: kind })
}

function partitionOfKey(key: Uint8Array, partitionCount: number): number {
  return (murmur2(key) & 0x7fffffff) % partitionCount
}

/** Longer keys are encoded to a buffer of their own. */
const SCRATCH_BYTES = 256

/** Partitions of keys, without a buffer per key. */
export class KeyPartitions {
  readonly #scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES)

  of(key: Bytes, partitionCount: number): number {
    return (this.#hash(key) & 0x7fffffff) % partitionCount
  }

  #hash(key: Bytes): number {
    if (typeof key !== 'string') return murmur2(key)
    const size = key.length
    if (size > SCRATCH_BYTES) return murmur2(Buffer.from(key))
    const scratch = this.#scratch
    for (let index = 0; index < size; index++) {
      const code = key.charCodeAt(index)
      if (code > 127) return murmur2(Buffer.from(key))
      scratch[index] = code
    }
    return murmur2(scratch, size)
  }
}
