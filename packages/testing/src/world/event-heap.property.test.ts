import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Event, EventHeap } from './event-heap.ts'

const run = () => undefined

test('events leave in order of time, round, tie-break and sequence, the cancelled ones never', () => {
  const event = fc.record({
    atMs: fc.nat(20),
    round: fc.nat(2),
    tie: fc.nat(3),
    cancelled: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(event, { maxLength: 700 }), (wanted) => {
      const heap = new EventHeap()
      const events = wanted.map(({ atMs, round, tie }, sequence): Event => {
        const label = String(sequence)
        return {
          atMs,
          round,
          tie,
          sequence,
          label,
          owner: undefined,
          kind: 'io',
          origin: undefined,
          run,
        }
      })
      for (const one of events) heap.push(one)
      events.forEach((one, index) => {
        if (wanted[index]?.cancelled) heap.cancel(one)
      })
      const expected = events
        .filter((_, index) => !wanted[index]?.cancelled)
        .sort(
          (a, b) =>
            a.atMs - b.atMs || a.round - b.round || a.tie - b.tie || a.sequence - b.sequence,
        )
      expect(heap.list()).toEqual(expected)
      expect(heap.ioCount).toBe(expected.length)
      expect(expected.map(() => heap.pop())).toEqual(expected)
      expect([heap.pop(), heap.ioCount]).toEqual([undefined, 0])
    }),
  )
})
