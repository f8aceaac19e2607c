// What the compiler promises to users: one test per public signature of client and producer.
import { expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import {
  type Bytes,
  Client,
  type ClientOptions,
  type ClientStats,
  createClient,
  type Env,
  json,
  type MinikafkaError,
  nullable,
  type PartialFailureError,
  type Partitioner,
  type Producer,
  type ProducerEvents,
  type ProducerRecord,
  type RecordMetadata,
  roundRobin,
  sticky,
  text,
  topic,
} from './index.ts'

const producer = {} as Producer
const orders = topic('orders', {
  key: text(),
  value: json(z.object({ at: z.string().transform((value) => new Date(value)) })),
})

test('a client is made from options, or from an Env and options', () => {
  expectTypeOf(Client).toBeConstructibleWith()
  expectTypeOf(Client).toBeConstructibleWith({ brokers: ['a:1'], logger: false })
  expectTypeOf<Parameters<typeof createClient>[0]>().toExtend<Env>()
  expectTypeOf<Parameters<typeof createClient>[1]>().toEqualTypeOf<ClientOptions | undefined>()
  expectTypeOf(createClient).returns.toEqualTypeOf<Client>()
  expectTypeOf<ClientOptions['brokers']>().toEqualTypeOf<string | readonly string[] | undefined>()
})

test('its methods', () => {
  expectTypeOf<Client['ping']>().returns.resolves.toEqualTypeOf<{
    clusterId: string
    brokerId: number
    roundTripMs: number
  }>()
  expectTypeOf<Client['stats']>().returns.toEqualTypeOf<ClientStats>()
  expectTypeOf<Client['close']>().returns.resolves.toBeVoid()
  expectTypeOf<Client>().toExtend<AsyncDisposable>()
  const off = ({} as Client).on
  expectTypeOf(off<'connect'>)
    .parameter(1)
    .parameter(0)
    .toEqualTypeOf<{ broker: string }>()
  expectTypeOf(off<'error'>)
    .parameter(1)
    .parameter(0)
    .toEqualTypeOf<MinikafkaError>()
  expectTypeOf(off).returns.toEqualTypeOf<() => void>()
})

test('a record of a plain topic is bytes or a string, and its value may be null', () => {
  expectTypeOf<ProducerRecord<'plain'>['value']>().toEqualTypeOf<Bytes | null>()
  expectTypeOf<ProducerRecord<'plain'>['key']>().toEqualTypeOf<Bytes | null | undefined>()
})

test('a record of a typed topic is what its codecs take: the input of a schema, not its output', () => {
  expectTypeOf<ProducerRecord<typeof orders>['value']>().toEqualTypeOf<{ at: string }>()
  expectTypeOf<ProducerRecord<typeof orders>['key']>().toEqualTypeOf<string | null | undefined>()
  const tombstones = topic('t', { value: nullable(text()) })
  expectTypeOf<ProducerRecord<typeof tombstones>['value']>().toEqualTypeOf<string | null>()
})

test('send and push refuse what does not fit', () => {
  const calls = () => {
    void producer.send(orders, { key: 'k', value: { at: '2026-01-01' } })
    // @ts-expect-error The schema's output is not its input.
    void producer.send(orders, { value: { at: new Date() } })
    // @ts-expect-error Only a nullable codec takes null.
    producer.push(orders, { value: null })
    // @ts-expect-error A value is required.
    producer.push('plain', { key: 'k' })
    // @ts-expect-error A plain topic takes bytes and strings.
    producer.push('plain', { value: { id: 1 } })
    // @ts-expect-error Unknown options do not compile.
    void producer.send('plain', { value: 'a' }, { timeout: 1 })
  }
  expectTypeOf(calls).returns.toBeVoid()
})

test('what a producer answers', () => {
  expectTypeOf(producer.send<'t'>).returns.resolves.toEqualTypeOf<RecordMetadata>()
  expectTypeOf(producer.sendMany<'t'>).returns.resolves.toEqualTypeOf<RecordMetadata[]>()
  expectTypeOf(producer.sendMany<typeof orders>)
    .parameter(1)
    .toEqualTypeOf<Iterable<ProducerRecord<typeof orders>>>()
  expectTypeOf(producer.push<'t'>).returns.toBeBoolean()
  expectTypeOf(producer.drained).returns.resolves.toBeVoid()
  expectTypeOf(producer.flush).returns.resolves.toBeVoid()
  expectTypeOf<RecordMetadata['offset']>().toEqualTypeOf<number | undefined>()
  expectTypeOf<PartialFailureError['results']>().toEqualTypeOf<
    PromiseSettledResult<RecordMetadata>[]
  >()
  expectTypeOf<ProducerEvents['failed']>().toExtend<{ topic: string; partition: number }>()
  expectTypeOf<ProducerEvents['failed']['error']>().toEqualTypeOf<MinikafkaError>()
})

test('partitioners', () => {
  expectTypeOf(roundRobin).returns.toEqualTypeOf<Partitioner>()
  expectTypeOf(sticky).returns.toEqualTypeOf<Partitioner>()
  expectTypeOf<Parameters<Partitioner>[0]['key']>().toEqualTypeOf<Buffer | null>()
  expectTypeOf<ReturnType<Partitioner>>().toBeNumber()
})

test('an error names are a closed list', () => {
  expectTypeOf<'OFFSET_OUT_OF_RANGE'>().toExtend<MinikafkaError['name']>()
  expectTypeOf<'SOMETHING_ELSE'>().not.toExtend<MinikafkaError['name']>()
  expectTypeOf<MinikafkaError['outcome']>().toEqualTypeOf<'not-written' | 'unknown' | undefined>()
})
