// The diagnostics channels of the SDK as a stopwatch for one record. Enters: events. Leaves: when each room was left.
import diagnostics from 'node:diagnostics_channel'
import type { Clock } from '../../session.ts'

export type BrokerTimes = {
  readonly queuedUs: number
  readonly writtenUs: number
  readonly acknowledgedUs: number
}

type ProduceEvent = { readonly topic: string; readonly partition: number; broker?: BrokerTimes }

/** Milliseconds of the monotonic clock. */
export type Laps = {
  requestLeftMs: number | undefined
  answeredMs: number | undefined
  broker: BrokerTimes | undefined
  /** The last fetch that brought records before the record was handed out. */
  fetchedMs: number | undefined
  arrivedMs: number | undefined
}

export class Stopwatch {
  laps: Laps = noLaps()
  readonly #clock: Clock
  readonly #stop: () => void

  /** Of batches for this partition; nothing else of this process writes there. */
  constructor(clock: Clock, topic: string, partition: number) {
    this.#clock = clock
    const isOurs = (event: ProduceEvent) => event.topic === topic && event.partition === partition
    const stopProduce = subscribe<ProduceEvent>('minikafka:produce', {
      start: (event) => {
        if (isOurs(event)) this.laps.requestLeftMs ??= clock.monotonicMs()
      },
      asyncEnd: (event) => {
        if (!isOurs(event)) return
        this.laps.answeredMs = clock.monotonicMs()
        this.laps.broker = event.broker
      },
    })
    const stopFetch = subscribe<{ readonly sizeBytes: number }>('minikafka:fetch', {
      start: () => {},
      asyncEnd: ({ sizeBytes }) => {
        // On a busy topic others bring later records.
        if (sizeBytes > 0 && this.laps.arrivedMs === undefined)
          this.laps.fetchedMs = this.#clock.monotonicMs()
      },
    })
    this.#stop = () => {
      stopProduce()
      stopFetch()
    }
  }

  /** The record was handed out. */
  arrived(atMs: number): void {
    this.laps.arrivedMs = atMs
  }

  reset(): void {
    this.laps = noLaps()
  }

  stop(): void {
    this.#stop()
  }
}

function noLaps(): Laps {
  return {
    ...{ requestLeftMs: undefined, answeredMs: undefined },
    ...{ broker: undefined, fetchedMs: undefined, arrivedMs: undefined },
  }
}

function subscribe<T extends object>(
  name: string,
  { start, asyncEnd }: { start: (event: T) => void; asyncEnd: (event: T) => void },
): () => void {
  const channel = diagnostics.tracingChannel<unknown, T>(name)
  const nothing = () => {}
  const subscribers = { start, asyncEnd, end: nothing, asyncStart: nothing, error: nothing }
  channel.subscribe(subscribers)
  return () => channel.unsubscribe(subscribers)
}
