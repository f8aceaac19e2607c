// Where the time of one record went. Enters: when it was where. Leaves: rooms with durations, by whose clock. Pure.
import type { Laps } from './stopwatch.ts'

export type Traced = Laps & {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly sentMs: number
}

export type Room = {
  readonly room: string
  readonly by: 'client' | 'broker' | 'client - broker'
  /** undefined: nobody told, as with an older broker. */
  readonly ms: number | undefined
}

/**
 * The client's clock and the broker's are never compared: of each only durations are used. What is left of a round
 * trip when the broker's share is taken away is the way there and back.
 */
export function roomsOf(traced: Traced): Room[] {
  const { sentMs, requestLeftMs, answeredMs, fetchedMs, arrivedMs, broker } = traced
  const acknowledgedMs = broker && broker.acknowledgedUs / 1000
  const us = (from: number | undefined, to: number | undefined) =>
    from === undefined || to === undefined ? undefined : (to - from) / 1000
  return [
    { room: 'accumulate: send() to request', by: 'client', ms: between(sentMs, requestLeftMs) },
    { room: 'receive: check, queue', by: 'broker', ms: us(0, broker?.queuedUs) },
    { room: 'write to the log', by: 'broker', ms: us(broker?.queuedUs, broker?.writtenUs) },
    {
      room: 'sync, replicas: acks',
      by: 'broker',
      ms: us(broker?.writtenUs, broker?.acknowledgedUs),
    },
    {
      room: 'wire there, answer back',
      by: 'client - broker',
      ms: less(between(requestLeftMs, answeredMs), acknowledgedMs),
    },
    { room: '= send() to acknowledged', by: 'client', ms: between(sentMs, answeredMs) },
    {
      room: 'wire there, fetch back',
      by: 'client - broker',
      ms: less(between(requestLeftMs, fetchedMs), acknowledgedMs),
    },
    { room: 'decode, hand out', by: 'client', ms: between(fetchedMs, arrivedMs) },
    { room: '= send() to consumer', by: 'client', ms: between(sentMs, arrivedMs) },
  ].map((room) => ({ ...room, ms: rounded(room.ms) }) as Room)
}

function between(from: number | undefined, to: number | undefined): number | undefined {
  return from === undefined || to === undefined ? undefined : to - from
}

function less(whole: number | undefined, part: number | undefined): number | undefined {
  return whole === undefined || part === undefined ? undefined : whole - part
}

function rounded(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.round(ms * 1000) / 1000
}
