// What a handler does is told as a span that goes on where the producer of the record was.
// Enters: records with headers. Leaves: a context to work in; a span for each call of a handler.

import type { RecordHeaders } from '@minikafka/client'
import {
  type Attributes,
  type Context,
  context,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  type TextMapGetter,
  trace,
} from '@opentelemetry/api'

type Consumed = {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly headers: RecordHeaders
}

const TRACER = '@minikafka/otel'

const getter: TextMapGetter<RecordHeaders> = {
  keys: (headers) => [...headers].map(([name]) => name),
  get: (headers, name) => headers.get(name)?.toString('utf8'),
}

/** Where the producer of the record was; for loops: `context.with(contextOf(record), () => …)`. */
export function contextOf(record: { readonly headers: RecordHeaders }): Context {
  return propagation.extract(ROOT_CONTEXT, record.headers, getter)
}

/**
 * The same handler inside a span, for `consumer.run(traced(handler))`. What it awaits and sends belongs to that span;
 * what it throws is noted there and thrown on.
 */
export function traced<R extends Consumed, Rest extends readonly unknown[]>(
  handler: (record: R, ...rest: Rest) => unknown,
): (record: R, ...rest: Rest) => Promise<void> {
  return async (record, ...rest) => {
    const parent = contextOf(record)
    const options = { kind: SpanKind.CONSUMER, attributes: attributesOf(record) }
    const span = trace.getTracer(TRACER).startSpan(`process ${record.topic}`, options, parent)
    try {
      await context.with(trace.setSpan(parent, span), () => handler(record, ...rest))
    } catch (error) {
      span.recordException(error as Error)
      span.setStatus({ code: SpanStatusCode.ERROR, message: (error as Error)?.message })
      throw error
    } finally {
      span.end()
    }
  }
}

/** Names of the conventions for messaging. */
function attributesOf({ topic, partition, offset }: Consumed): Attributes {
  return {
    'messaging.system': 'minikafka',
    'messaging.operation.type': 'process',
    'messaging.operation.name': 'process',
    'messaging.destination.name': topic,
    'messaging.destination.partition.id': String(partition),
    'messaging.kafka.offset': offset,
  }
}
