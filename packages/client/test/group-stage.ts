// A broker in a simulated world, and consumers of one group: what the tests of groups play on. Time jumps.
import type {
  Client,
  ClientOptions,
  Consumer,
  ConsumerOptions,
  ConsumerRecord,
  Partitions,
} from '@minikafka/client'
import { TestBroker, type TestBrokerOptions } from '@minikafka/testing'

type Options = Partial<ConsumerOptions<string>> & object

export const ONE = { topic: 'one', partition: 0 }

export class GroupStage {
  readonly broker: TestBroker
  readonly client: Client

  private constructor(broker: TestBroker) {
    this.broker = broker
    this.client = broker.client()
  }

  static async start(options: TestBrokerOptions = {}): Promise<GroupStage> {
    const topics = { orders: 3, one: 1 }
    return new GroupStage(await TestBroker.start({ topics, clock: 'jumping', seed: 3, ...options }))
  }

  /** Of the topic `one`, from its start, unless said otherwise. */
  member(options: Options = {}, client: Client = this.client): Consumer<string> {
    const defaults = { group: 'billing', start: 'earliest' }
    const what = 'pattern' in options ? {} : { topics: ['one'] }
    return client.consumer({ ...defaults, ...what, ...options } as ConsumerOptions<string>)
  }

  /** In a process of its own: the node that can be paused. */
  another(options: ClientOptions = {}): Client {
    return this.broker.client(options)
  }

  async produce(topic: string, values: readonly string[], partition = 0): Promise<void> {
    await this.client.producer().sendMany(
      topic,
      values.map((value) => ({ value, key: value, partition })),
    )
  }

  /** What the group has committed in `one`; undefined: nothing. */
  async committed(group = 'billing'): Promise<number | undefined> {
    const lags = await this.client.admin().lag(group)
    return lags.find(({ topic }) => topic === 'one')?.committed
  }

  pass(ms: number): Promise<void> {
    return new Promise((resolve) => this.broker.clock.timer(ms, resolve))
  }

  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await this.pass(10)
  }

  close(): Promise<readonly string[]> {
    return this.broker.close()
  }
}

/** The values of the next `count` records, each acked; then the loop is left. */
export async function take(consumer: Consumer<string>, count: number): Promise<string[]> {
  const seen: string[] = []
  for await (const record of consumer) {
    seen.push(textOf(record))
    record.ack()
    if (seen.length === count) break
  }
  return seen
}

export function textOf({ value }: ConsumerRecord<string>): string {
  return String(value)
}

/** '3', '4', … */
export function numbers(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, index) => String(from + index))
}

export function partitionsOf(partitions: Partitions): number[] {
  return partitions.map(({ partition }) => partition).sort((a, b) => a - b)
}

/** A promise, and who keeps it. */
export function latch(): { readonly opened: Promise<void>; open(): void } {
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open }
}
