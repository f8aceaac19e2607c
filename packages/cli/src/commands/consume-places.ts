// What is asked for of each partition. Enters: targets, and where the consumer stands. Leaves: which records count, and when all is read.
import type { Consumer, TopicPartition } from '@minikafka/client'
import type { Target } from './consume-targets.ts'

/** Which records of each partition are asked for, and where reading is done. A partition that is not named is read whole. */
export class Places {
  readonly #byTopic = new Map<string, Map<number, Target>>()
  readonly #left = new Set<Target>()
  /** Records between the ends; Infinity: it follows. */
  readonly total: number

  constructor(targets: readonly Target[]) {
    let total = targets.length === 0 ? Number.POSITIVE_INFINITY : 0
    for (const target of targets) {
      const { topic, partition, from, end } = target
      const known = this.#byTopic.get(topic) ?? new Map<number, Target>()
      this.#byTopic.set(topic, known.set(partition, target))
      this.#left.add(target)
      total += end - from
    }
    this.total = total
  }

  has({ topic, partition, offset }: TopicPartition & { readonly offset: number }): boolean {
    const target = this.#byTopic.get(topic)?.get(partition)
    return target === undefined || (offset >= target.from && offset < target.end)
  }

  /** Leaves the partitions that were read to their end. */
  advance(consumer: Consumer<string>): void {
    for (const target of this.#left) {
      if ((consumer.nextOffset(target) ?? 0) < target.end) continue
      this.#left.delete(target)
      consumer.pause([{ topic: target.topic, partition: target.partition }])
    }
  }

  get done(): boolean {
    return this.#byTopic.size > 0 && this.#left.size === 0
  }
}
