// Diagnostics of requests and connections: objects are made only where somebody listens (CLIENT 2.7).
import diagnostics, { type TracingChannel } from 'node:diagnostics_channel'
import type { Address } from '@minikafka/platform'
import type { Connection } from '@minikafka/protocol'

export type RequestTrace = {
  readonly api: string
  readonly brokerId: number
  readonly host: string
  readonly port: number
}

export type ConnectTrace = {
  readonly host: string
  readonly port: number
}

const request = diagnostics.tracingChannel<unknown, RequestTrace>('minikafka:request')
const connect = diagnostics.tracingChannel<unknown, ConnectTrace>('minikafka:connect')

export function tracesRequests(): boolean {
  return hasSubscribers(request)
}

export function traceRequest<T>(
  answer: Promise<T>,
  api: string,
  connection: Connection,
): Promise<T> {
  const { host, port } = connection.address
  return request.tracePromise(() => answer, { api, brokerId: connection.hello.nodeId, host, port })
}

export function traceConnect<T>({ host, port }: Address, dial: () => Promise<T>): Promise<T> {
  return hasSubscribers(connect) ? connect.tracePromise(dial, { host, port }) : dial()
}

/** Node 20 has it for single channels only. */
export function hasSubscribers<C extends object>(channel: TracingChannel<unknown, C>): boolean {
  const { start, end, asyncStart, asyncEnd, error } = channel
  return (
    start.hasSubscribers ||
    end.hasSubscribers ||
    asyncStart.hasSubscribers ||
    asyncEnd.hasSubscribers ||
    error.hasSubscribers
  )
}
