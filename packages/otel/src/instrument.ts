// The context of whoever sends travels with the record: as `traceparent`, or whatever the propagator of the process writes.
// Enters: records on the channel `minikafka:record`, before they are encoded. Leaves: headers.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { context, propagation, type TextMapSetter } from '@opentelemetry/api'

type Headers = [string, Uint8Array | string | null][]

const CHANNEL = 'minikafka:record'

/** What the caller has put there stays: a record that is passed on keeps its origin. */
const setter: TextMapSetter<Headers> = {
  set: (headers, name, value) => {
    if (!headers.some(([other]) => other === name)) headers.push([name, value])
  },
}

/** All producers of this process, from now on. Returns the function that ends it. */
export function instrument(): () => void {
  const inject = (told: unknown) =>
    propagation.inject(context.active(), (told as { headers: Headers }).headers, setter)
  subscribe(CHANNEL, inject)
  return () => unsubscribe(CHANNEL, inject)
}
