// A trace that begins in one process and goes on in another, through a real broker.
import { type Client, text, topic } from '@minikafka/client'
import { instrument, traced } from '@minikafka/otel'
import { TestBroker } from '@minikafka/testing'
import { context, propagation, SpanStatusCode, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'

const orders = topic('orders', { key: text(), value: text() })
const spans = new InMemorySpanExporter()
const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] })

beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  propagation.setGlobalPropagator(new W3CTraceContextPropagator())
  trace.setGlobalTracerProvider(provider)
})
afterEach(() => spans.reset())
afterAll(async () => {
  await provider.shutdown()
  context.disable()
  propagation.disable()
  trace.disable()
})

/** Sends one record inside a span, and gives its ids. */
async function sendInSpan(client: Client, headers: Record<string, string> = {}) {
  const span = trace.getTracer('test').startSpan('checkout')
  const producer = client.producer()
  await context.with(trace.setSpan(context.active(), span), () =>
    producer.send(orders, { key: 'k', value: 'v', headers }),
  )
  span.end()
  return span.spanContext()
}

/** Hands the first record to a handler. */
async function handleOne(client: Client, handler: (record: unknown) => unknown) {
  const consumer = client.consumer({ topics: [orders], start: 'earliest', onError: 'skip' })
  const running = consumer.run(
    traced(async (record) => {
      try {
        await handler(record)
      } finally {
        consumer.stop()
      }
    }),
  )
  await running
  await consumer.close()
}

test('a handler is a span below the one that sent the record, also behind an await', async () => {
  const stop = instrument()
  await using broker = await TestBroker.start({ topics: { orders: 1 } })
  const client = broker.client()
  const sent = await sendInSpan(client)
  let inside: string | undefined
  await handleOne(client, async () => {
    await Promise.resolve()
    inside = trace.getSpanContext(context.active())?.spanId
  })
  stop()

  const handled = spans.getFinishedSpans().find(({ name }) => name === 'process orders')
  expect(handled?.spanContext().traceId).toBe(sent.traceId)
  expect(handled?.parentSpanContext?.spanId).toBe(sent.spanId)
  expect(handled?.spanContext().spanId).toBe(inside)
  expect(handled?.attributes).toMatchObject({
    'messaging.destination.name': 'orders',
    'messaging.destination.partition.id': '0',
    'messaging.kafka.offset': 0,
  })
})

test('a traceparent that the caller gave is kept, and nothing is added once it is stopped', async () => {
  const given = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  await using broker = await TestBroker.start({ topics: { orders: 1 } })
  const client = broker.client()
  const stop = instrument()
  await sendInSpan(client, { traceparent: given })
  stop()
  await sendInSpan(client)
  const records = await broker.read('orders')
  const parents = records.map(({ headers }) =>
    headers.filter(([name]) => name === 'traceparent').map(([, value]) => String(value)),
  )
  expect(parents).toEqual([[given], []])
})

test('what a handler throws is noted in its span, and thrown on', async () => {
  await using broker = await TestBroker.start({ topics: { orders: 1 } })
  const client = broker.client()
  await sendInSpan(client)
  await handleOne(client, () => {
    throw new Error('no such card')
  }).catch(() => undefined)
  const handled = spans.getFinishedSpans().find(({ name }) => name === 'process orders')
  expect(handled?.status).toEqual({ code: SpanStatusCode.ERROR, message: 'no such card' })
})
