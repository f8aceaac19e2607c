// What goes through the broker, counted as it happens: requests, refusals, syncs, slow decisions of groups.
// Enters: what is told on the diagnostics channels, per request and never per record. Leaves: counters and histograms.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { type CallOutcome, errorName, type RefusalReason } from '@minikafka/protocol'
import { Counter, Histogram, type Registry } from 'prom-client'
import { eachErrorCode } from './error-codes.ts'

type RequestTold = {
  readonly api: string
  readonly durationMs: number
  readonly requestBytes: number
  readonly error: string | undefined
  readonly response: CallOutcome
}

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** The labels come from our own tables: they are as many as there are APIs, errors and reasons. */
export function watchRequests(registry: Registry): () => void {
  const stops = [
    onTold('minikafka:broker:request', countRequests(registry)),
    onTold('minikafka:broker:refused', countRefusals(registry)),
    onTold('minikafka:broker:sync', timeSyncs(registry)),
    onTold('minikafka:broker:group-decision-slow', countSlowDecisions(registry)),
  ]
  return () => {
    for (const stop of stops) stop()
  }
}

function onTold<Told>(name: string, listener: (told: Told) => void): () => void {
  const heard = (told: unknown) => listener(told as Told)
  subscribe(name, heard)
  return () => unsubscribe(name, heard)
}

function countRequests(registry: Registry): (told: RequestTold) => void {
  const durations = new Histogram({
    name: 'minikafka_request_duration_seconds',
    help: 'From the whole request to its answer, by API. Fetches wait for records, produces for their sync.',
    labelNames: ['api'],
    buckets: SECONDS,
    registers: [registry],
  })
  const bytes = new Counter({
    name: 'minikafka_request_bytes_total',
    help: 'Bytes of requests, by API.',
    labelNames: ['api'],
    registers: [registry],
  })
  const errors = new Counter({
    name: 'minikafka_request_errors_total',
    help: 'Errors in answers, one for each item that has one, by API and error.',
    labelNames: ['api', 'error'],
    registers: [registry],
  })
  return ({ api, durationMs, requestBytes, error, response }) => {
    durations.observe({ api }, durationMs / 1000)
    bytes.inc({ api }, requestBytes)
    if (error !== undefined) errors.inc({ api, error })
    eachErrorCode(response, (code) => errors.inc({ api, error: errorName(code) }))
  }
}

function countRefusals(registry: Registry): (told: { readonly reason: RefusalReason }) => void {
  const refused = new Counter({
    name: 'minikafka_refused_total',
    help: 'Connections and requests that were refused before a handler saw them, by reason.',
    labelNames: ['reason'],
    registers: [registry],
  })
  return ({ reason }) => refused.inc({ reason })
}

function timeSyncs(registry: Registry): (told: { readonly durationMs: number }) => void {
  const durations = new Histogram({
    name: 'minikafka_fsync_duration_seconds',
    help: 'fdatasync of log segments; with flush=group acknowledgements wait for it.',
    buckets: [0.0001, 0.00025, 0.0005, ...SECONDS],
    registers: [registry],
  })
  return ({ durationMs }) => durations.observe(durationMs / 1000)
}

function countSlowDecisions(registry: Registry): () => void {
  const slow = new Counter({
    name: 'minikafka_group_slow_decisions_total',
    help: 'Decisions about a group that held everything else up for more than 10 ms.',
    registers: [registry],
  })
  return () => slow.inc()
}
