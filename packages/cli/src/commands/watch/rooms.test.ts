import { expect, test } from 'vitest'
import { roomsOf } from './rooms.ts'

const record = { topic: 't', partition: 0, offset: 1 }
const laps = { sentMs: 100, requestLeftMs: 102, answeredMs: 112, fetchedMs: 111, arrivedMs: 115 }

test('the rooms up to the answer add up to it; clocks of two machines are never compared', () => {
  const broker = { queuedUs: 500, writtenUs: 1500, acknowledgedUs: 6500 }
  const ms = roomsOf({ ...record, ...laps, broker }).map((room) => room.ms)
  // accumulate, receive, write, sync, wire: 2 + 0.5 + 1 + 5 + 3.5 = 12.
  expect(ms).toEqual([2, 0.5, 1, 5, 3.5, 12, 2.5, 4, 15])
})

test('what a broker does not tell is unknown, not zero', () => {
  const ms = roomsOf({ ...record, ...laps, broker: undefined }).map((room) => room.ms)
  expect(ms).toEqual([2, undefined, undefined, undefined, undefined, 12, undefined, 4, 15])
})
