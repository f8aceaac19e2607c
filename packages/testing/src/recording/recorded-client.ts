// A client whose producers and consumers write down what they do; everything else is passed on.
import type {
  Admin,
  Client,
  ClientEvents,
  ClientStats,
  Consumer,
  ConsumerOptions,
  Done,
  Producer,
  ProducerOptions,
  TopicLike,
  Wait,
} from '@minikafka/client'
import { RecordedConsumer } from './recorded-consumer.ts'
import { RecordedProducer } from './recorded-producer.ts'
import type { Recorder } from './recorder.ts'

export class RecordedClient implements Client {
  readonly #client: Client
  readonly #recorder: Recorder

  constructor(client: Client, recorder: Recorder) {
    this.#client = client
    this.#recorder = recorder
  }

  producer(options?: ProducerOptions): Producer {
    return new RecordedProducer(this.#client.producer(options), this.#recorder, options)
  }

  consumer<const T extends TopicLike = string>(options: ConsumerOptions<T>): Consumer<T> {
    return new RecordedConsumer(this.#client.consumer(options), this.#recorder.reader())
  }

  admin(): Admin {
    return this.#client.admin()
  }

  ping(wait?: Wait): ReturnType<Client['ping']> {
    return this.#client.ping(wait)
  }

  stats(): ClientStats {
    return this.#client.stats()
  }

  on<K extends keyof ClientEvents>(
    event: K,
    listener: (data: ClientEvents[K]) => void,
  ): () => void {
    return this.#client.on(event, listener)
  }

  close(wait?: Wait): Done {
    return this.#client.close(wait)
  }

  [Symbol.asyncDispose](): Done {
    return this.close()
  }
}
