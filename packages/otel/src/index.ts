// The front door of `otel`: OpenTelemetry for the client, without a word of it in the client.
export { instrument } from './instrument.ts'
export { contextOf, traced } from './traced.ts'
