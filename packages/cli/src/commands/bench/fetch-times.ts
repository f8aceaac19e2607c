// How long fetches take, as the diagnostics channel of the SDK tells it. Enters: nothing. Leaves: milliseconds, one by one.
import diagnostics from 'node:diagnostics_channel'
import type { Clock } from '../../session.ts'

/** Calls back for each fetch of this process that was answered. Returns what ends it. */
export function watchFetches(clock: Clock, tell: (ms: number) => void): () => void {
  const begun = new WeakMap<object, number>()
  const channel = diagnostics.tracingChannel<unknown, object>('minikafka:fetch')
  const subscribers = {
    start: (trace: object) => void begun.set(trace, clock.monotonicMs()),
    end: () => {},
    asyncStart: () => {},
    asyncEnd: (trace: object) => {
      const sinceMs = begun.get(trace)
      if (sinceMs !== undefined) tell(clock.monotonicMs() - sinceMs)
    },
    error: (trace: object) => void begun.delete(trace),
  }
  channel.subscribe(subscribers)
  return () => channel.unsubscribe(subscribers)
}
