// A consumer that writes down what it hands out, in every reading mode.
import { Readable } from 'node:stream'
import {
  type Batch,
  type BatchesOptions,
  type Consumer,
  type ConsumerEvents,
  type ConsumerHealth,
  type ConsumerRecord,
  type Done,
  type Handler,
  type NextOffset,
  type OffsetSpec,
  type PartitionLag,
  type Partitions,
  type PollOptions,
  type RunOptions,
  rawRecord,
  type TopicLike,
  type TopicPartition,
  type Wait,
} from '@minikafka/client'
import { partitionName } from './entries.ts'
import type { ReaderRecorder } from './recorder.ts'

export class RecordedConsumer<T extends TopicLike> implements Consumer<T> {
  readonly #consumer: Consumer<T>
  readonly #recorder: ReaderRecorder

  constructor(consumer: Consumer<T>, recorder: ReaderRecorder) {
    this.#consumer = consumer
    this.#recorder = recorder
    for (const event of ['assigned', 'revoked', 'lost'] as const) {
      consumer.on(event, (partitions) => recorder.moved(partitions.map(nameOf)))
    }
  }

  // --- reading modes -----------------------------------------------------------------------

  [Symbol.asyncIterator](): AsyncIterator<ConsumerRecord<T>> {
    const iterator = this.#consumer[Symbol.asyncIterator]()
    return this.#recorded(iterator, (record) => this.#handed([record]))
  }

  batches(options?: BatchesOptions): AsyncIterable<Batch<T>> {
    const batches = this.#consumer.batches(options)
    return {
      [Symbol.asyncIterator]: () =>
        this.#recorded(batches[Symbol.asyncIterator](), ({ records }) => this.#handed(records)),
    }
  }

  async poll(options?: PollOptions): Promise<ConsumerRecord<T>[]> {
    const records = await this.#consumer.poll(options)
    this.#handed(records)
    return records
  }

  /** A record that is tried again is handed out once. With order `key` keys overtake each other. */
  async run(handler: Handler<T>, options?: RunOptions): Done {
    const unordered = options?.order === 'key'
    const recorded: Handler<T> = (record, context) => {
      if (context.attempt === 1) this.#handed([record], unordered)
      return handler(record, context)
    }
    try {
      await this.#consumer.run(recorded, options)
    } finally {
      this.#recorder.moved()
    }
  }

  readable(): Readable {
    const iterator = this[Symbol.asyncIterator]()
    return new Readable({
      objectMode: true,
      highWaterMark: 0,
      read() {
        iterator.next().then(
          ({ done, value }) => this.push(done ? null : value),
          (error: Error) => this.destroy(error),
        )
      },
      destroy(error, done) {
        const ending = iterator.return?.() ?? Promise.resolve()
        ending.then(
          () => done(error),
          () => done(error),
        )
      },
    })
  }

  stop(): void {
    this.#consumer.stop()
  }

  /** Who leaves a loop has the record in hand once more in the next one. */
  #recorded<V>(iterator: AsyncIterator<V>, hand: (value: V) => void): AsyncIterator<V> {
    return {
      next: async () => {
        const result = await iterator.next()
        if (!result.done) hand(result.value)
        return result
      },
      return: async () => {
        this.#recorder.moved()
        return (await iterator.return?.()) ?? { done: true, value: undefined }
      },
    }
  }

  #handed(records: readonly ConsumerRecord<T>[], unordered?: boolean): void {
    if (records.length > 0) this.#recorder.handed(records.map(rawRecord), unordered)
  }

  // --- places ------------------------------------------------------------------------------

  async seek(at: TopicPartition, to: OffsetSpec, wait?: Wait): Done {
    this.#recorder.moved([nameOf(at)])
    await this.#consumer.seek(at, to, wait)
  }

  commit(what?: Parameters<Consumer<T>['commit']>[0], wait?: Wait): Done {
    return this.#consumer.commit(what, wait)
  }

  committed(wait?: Wait): Promise<NextOffset[]> {
    return this.#consumer.committed(wait)
  }

  nextOffset(at: TopicPartition): number | undefined {
    return this.#consumer.nextOffset(at)
  }

  assignment(): Partitions {
    return this.#consumer.assignment()
  }

  pause(what?: Partitions): void {
    this.#consumer.pause(what)
  }

  resume(what?: Partitions): void {
    this.#consumer.resume(what)
  }

  paused(): Partitions {
    return this.#consumer.paused()
  }

  lag(wait?: Wait): Promise<PartitionLag[]> {
    return this.#consumer.lag(wait)
  }

  health(): ConsumerHealth {
    return this.#consumer.health()
  }

  // --- life --------------------------------------------------------------------------------

  on<K extends keyof ConsumerEvents>(
    event: K,
    listener: (data: ConsumerEvents[K]) => void,
  ): () => void {
    return this.#consumer.on(event, listener)
  }

  close(options?: Parameters<Consumer<T>['close']>[0]): Done {
    return this.#consumer.close(options)
  }

  [Symbol.asyncDispose](): Done {
    return this.close()
  }
}

function nameOf({ topic, partition }: TopicPartition): string {
  return partitionName(topic, partition)
}
