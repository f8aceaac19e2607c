import diagnostics from 'node:diagnostics_channel'
import { nodeEnv } from '@minikafka/client'
import { expect, test } from 'vitest'
import { Stopwatch } from './stopwatch.ts'

test('a fetch that comes after the record was handed out brought another one', () => {
  let nowMs = 0
  const clock = Object.create(nodeEnv().clock, { monotonicMs: { value: () => nowMs } })
  const stopwatch = new Stopwatch(clock, 'orders', 0)
  const fetches = diagnostics.tracingChannel<unknown, { sizeBytes: number }>('minikafka:fetch')
  const fetched = (atMs: number, sizeBytes: number) => {
    nowMs = atMs
    fetches.asyncEnd.publish({ sizeBytes })
  }
  fetched(5, 100)
  fetched(7, 0)
  stopwatch.arrived(8)
  fetched(9, 100)
  expect(stopwatch.laps).toMatchObject({ fetchedMs: 5, arrivedMs: 8 })
  stopwatch.reset()
  fetched(12, 100)
  expect(stopwatch.laps).toMatchObject({ fetchedMs: 12, arrivedMs: undefined })
  stopwatch.stop()
})
