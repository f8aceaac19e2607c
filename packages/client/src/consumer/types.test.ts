// What the compiler promises to users of consumers: one test per public signature.
import type { Readable } from 'node:stream'
import { expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import {
  type Admin,
  type AnyRecord,
  type Batch,
  bytes,
  type Client,
  type Consumer,
  type ConsumerHealth,
  type ConsumerOptions,
  type ConsumerRecord,
  type ErrorPolicy,
  type GroupDescription,
  type GroupMember,
  type GroupSummary,
  type Hook,
  json,
  type MinikafkaError,
  type NextOffset,
  nullable,
  type PartitionLag,
  type Partitions,
  type RecordHeaders,
  type ResetOffset,
  type ResetOffsets,
  rawRecord,
  text,
  topic,
} from '../index.ts'

const orders = topic('orders', {
  key: text(),
  value: json(z.object({ at: z.string().transform((value) => new Date(value)) })),
})
const totals = topic('totals', { value: nullable(json<{ cents: number }>()) })
const client = {} as Client

test('a record of a plain topic has Buffers, and its value may be null', () => {
  type Plain = ConsumerRecord<string>
  expectTypeOf<Plain['key']>().toEqualTypeOf<Buffer | null>()
  expectTypeOf<Plain['value']>().toEqualTypeOf<Buffer | null>()
  expectTypeOf<Plain['topic']>().toEqualTypeOf<string>()
  expectTypeOf<Plain['headers']>().toEqualTypeOf<RecordHeaders>()
  expectTypeOf<Plain['timestampType']>().toEqualTypeOf<'create' | 'append'>()
  expectTypeOf<Plain['signal']>().toEqualTypeOf<AbortSignal>()
  expectTypeOf<ReturnType<RecordHeaders['get']>>().toEqualTypeOf<Buffer | null | undefined>()
})

test('a record of a typed topic is what its codecs hand out: the output of a schema', () => {
  type Order = ConsumerRecord<typeof orders>
  expectTypeOf<Order['value']>().toEqualTypeOf<{ at: Date }>()
  expectTypeOf<Order['key']>().toEqualTypeOf<string | null>()
  expectTypeOf<Order['topic']>().toEqualTypeOf<'orders'>()
  expectTypeOf<ConsumerRecord<typeof totals>['value']>().toEqualTypeOf<{ cents: number } | null>()
  const strict = topic('strict', { value: bytes() })
  expectTypeOf<ConsumerRecord<typeof strict>['value']>().toEqualTypeOf<Buffer>()
})

test('the topic of a record narrows a union of topics', () => {
  const reader = () => client.consumer({ topics: [orders, totals] })
  expectTypeOf(reader).returns.toEqualTypeOf<Consumer<typeof orders | typeof totals>>()
  const body = async () => {
    for await (const record of reader()) {
      expectTypeOf(record.topic).toEqualTypeOf<'orders' | 'totals'>()
      if (record.topic === 'orders') expectTypeOf(record.value).toEqualTypeOf<{ at: Date }>()
      else expectTypeOf(record.value).toEqualTypeOf<{ cents: number } | null>()
    }
  }
  expectTypeOf(body).returns.resolves.toBeVoid()
})

test('the type of a consumer follows from its topics, or from what is assigned', () => {
  expectTypeOf(() => client.consumer({ topics: [orders] })).returns.toEqualTypeOf<
    Consumer<typeof orders>
  >()
  const byHand = () => client.consumer({ assign: [{ topic: orders, partition: 0, start: 5 }] })
  expectTypeOf(byHand).returns.toEqualTypeOf<Consumer<typeof orders>>()
  const plain = () => client.consumer({ topics: ['a', 'b'] })
  expectTypeOf(plain).returns.toExtend<Consumer<'a' | 'b'>>()
})

test('5: a group consumer without start does not compile', () => {
  const calls = () => {
    client.consumer({ group: 'g', topics: ['a'], start: 'earliest' })
    client.consumer({ group: 'g', pattern: 'a.*', start: 'error' })
    client.consumer({ group: 'g', assign: [{ topic: 'a', partition: 0 }] })
    client.consumer({ topics: ['a'] })
    // @ts-expect-error Where a group begins is a decision.
    client.consumer({ group: 'g', topics: ['a'] })
    // @ts-expect-error The same with a pattern.
    client.consumer({ group: 'g', pattern: 'a.*' })
    client.consumer({ group: 'g', topics: ['a'], start: 'latest', instanceId: 'i' })
    // @ts-expect-error By hand nobody is a member, static or not.
    client.consumer({ group: 'g', assign: [{ topic: 'a', partition: 0 }], instanceId: 'i' })
    // @ts-expect-error A pattern is matched for a group.
    client.consumer({ pattern: 'a.*', start: 'earliest' })
    // @ts-expect-error An offset stands in assign, for it is of one partition.
    client.consumer({ topics: ['a'], start: 5 })
    // @ts-expect-error Either all partitions or some.
    client.consumer({ topics: ['a'], assign: [{ topic: 'a', partition: 0 }] })
    // @ts-expect-error Unknown options do not compile.
    client.consumer({ topics: ['a'], fromBeginning: true })
  }
  expectTypeOf(calls).returns.toBeVoid()
})

test('reading modes', () => {
  type Orders = Consumer<typeof orders>
  expectTypeOf<Orders>().toExtend<AsyncIterable<ConsumerRecord<typeof orders>>>()
  expectTypeOf<Orders['run']>()
    .parameter(0)
    .parameter(0)
    .toEqualTypeOf<ConsumerRecord<typeof orders>>()
  expectTypeOf<Orders['run']>()
    .parameter(0)
    .parameter(1)
    .toEqualTypeOf<{ readonly attempt: number }>()
  expectTypeOf<Orders['run']>().returns.resolves.toBeVoid()
  expectTypeOf<Orders['batches']>().returns.toEqualTypeOf<AsyncIterable<Batch<typeof orders>>>()
  expectTypeOf<Orders['poll']>().returns.resolves.toEqualTypeOf<ConsumerRecord<typeof orders>[]>()
  expectTypeOf<Orders['readable']>().returns.toEqualTypeOf<Readable>()
  expectTypeOf<Orders['stop']>().returns.toBeVoid()
  expectTypeOf<Batch<typeof orders>['records']>().toEqualTypeOf<
    readonly ConsumerRecord<typeof orders>[]
  >()
  expectTypeOf<Batch<typeof orders>['commit']>().returns.resolves.toBeVoid()
})

test('positions, commits, life', () => {
  type Plain = Consumer<string>
  expectTypeOf<Plain['nextOffset']>().returns.toEqualTypeOf<number | undefined>()
  expectTypeOf<Plain['assignment']>().returns.toEqualTypeOf<Partitions>()
  expectTypeOf<Plain['seek']>().returns.resolves.toBeVoid()
  expectTypeOf<Plain['paused']>().returns.toEqualTypeOf<Partitions>()
  expectTypeOf<Plain['lag']>().returns.resolves.toEqualTypeOf<PartitionLag[]>()
  expectTypeOf<Plain['health']>().returns.toEqualTypeOf<ConsumerHealth>()
  expectTypeOf<Plain['committed']>().returns.resolves.toEqualTypeOf<NextOffset[]>()
  expectTypeOf<Plain['commit']>()
    .parameter(0)
    .toEqualTypeOf<AnyRecord | readonly AnyRecord[] | readonly NextOffset[] | undefined>()
  expectTypeOf<Plain['close']>().returns.resolves.toBeVoid()
  expectTypeOf<Plain>().toExtend<AsyncDisposable>()
  const on = ({} as Plain).on
  expectTypeOf(on<'error'>)
    .parameter(1)
    .parameter(0)
    .toEqualTypeOf<MinikafkaError>()
  expectTypeOf(on<'assigned'>)
    .parameter(1)
    .parameter(0)
    .toEqualTypeOf<Partitions>()
})

test('policies and hooks', () => {
  const policies: ErrorPolicy[] = [
    'stop',
    { retries: 3, then: 'dead-letter' },
    (_error, record, attempt) => {
      expectTypeOf(record).toEqualTypeOf<ConsumerRecord<string>>()
      return attempt < 3 ? { retryAfterMs: 5 } : 'skip'
    },
  ]
  expectTypeOf(policies).toEqualTypeOf<ErrorPolicy[]>()
  expectTypeOf<Parameters<Hook>[1]['signal']>().toEqualTypeOf<AbortSignal>()
  expectTypeOf<ConsumerOptions<string>['onRevoked']>().toEqualTypeOf<Hook | undefined>()
})

test('admin: groups', () => {
  type A = Admin
  expectTypeOf<A['listGroups']>().returns.resolves.toEqualTypeOf<GroupSummary[]>()
  expectTypeOf<A['describeGroup']>().returns.resolves.toEqualTypeOf<GroupDescription>()
  expectTypeOf<GroupDescription['members'][number]>().toEqualTypeOf<GroupMember>()
  expectTypeOf<GroupMember['assigned']>().toEqualTypeOf<Partitions>()
  expectTypeOf<A['lag']>().returns.resolves.toEqualTypeOf<PartitionLag[]>()
  expectTypeOf<A['resetOffsets']>().returns.resolves.toEqualTypeOf<ResetOffset[]>()
  expectTypeOf<ResetOffset>().toExtend<PartitionLag & NextOffset>()
  expectTypeOf<A['deleteOffsets']>().returns.resolves.toBeVoid()
  expectTypeOf<A['deleteGroup']>().returns.resolves.toBeVoid()
  expectTypeOf<A['removeMember']>().returns.resolves.toBeVoid()
  const points: ResetOffsets['to'][] = [
    'earliest',
    { timestamp: 1 },
    { shift: -3 },
    [{ topic: 'a', partition: 0, nextOffset: 5 }],
  ]
  // @ts-expect-error A shift goes by a number of records.
  const wrong: ResetOffsets = { to: { shift: 'one' } }
  expectTypeOf(points).toExtend<ResetOffsets['to'][]>()
  expectTypeOf(wrong).toEqualTypeOf<ResetOffsets>()
})

test('rawRecord gives the bytes of a typed record', () => {
  expectTypeOf(rawRecord).parameter(0).toEqualTypeOf<AnyRecord>()
  expectTypeOf(rawRecord).returns.toEqualTypeOf<ConsumerRecord<string>>()
})
