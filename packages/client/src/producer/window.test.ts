import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Batch } from './batch.ts'
import { BufferPool } from './buffer-pool.ts'
import { Cohort } from './cohort.ts'
import { Window } from './window.ts'

const pool = new BufferPool(16_384, 0)

function batch(order: number): Batch {
  return new Batch(pool, pool.take(1), 16_384, { order, sinceMs: order, cohort: new Cohort() })
}

test('batches depart in order, at most as many as the window holds', () => {
  const window = new Window(2)
  const batches = [0, 1, 2].map(batch)
  for (const each of batches) window.add(each)
  const [first, second] = batches as [Batch, Batch]
  expect(window.next()).toBe(first)
  window.depart(first)
  expect(window.next()).toBe(second)
  window.depart(second)
  expect(window.next()).toBeUndefined()
  window.land(first)
  first.settle()
  expect(window.next()?.order).toBe(2)
})

test('a retry goes first, before what was never sent', () => {
  const window = new Window(2)
  const [first, second, third] = [0, 1, 2].map(batch) as [Batch, Batch, Batch]
  for (const each of [first, second, third]) window.add(each)
  window.depart(first)
  window.depart(second)
  window.land(second)
  window.requeue(second)
  expect(window.next()).toBe(second)
  window.land(first)
  window.requeue(first)
  expect(window.next()).toBe(first)
})

test('one that is out of order waits for those before it', () => {
  const window = new Window(5)
  const [first, second] = [0, 1].map(batch) as [Batch, Batch]
  window.add(first)
  window.add(second)
  window.depart(first)
  window.depart(second)
  window.land(second)
  second.outOfOrder = true
  window.requeue(second)
  expect(window.hasEarlier(second, false)).toBe(true)
  expect(window.next()).toBeUndefined()
  window.land(first)
  expect(window.next()).toBe(second)
})

test('where a sequence was lost, only what may be in the log is still to come in its epoch', () => {
  const window = new Window(5)
  const [first, second] = [0, 1].map(batch) as [Batch, Batch]
  for (const each of [first, second]) {
    window.add(each)
    window.depart(each)
    window.land(each)
    window.requeue(each)
  }
  expect(window.hasEarlier(second, false)).toBe(true)
  expect(window.hasEarlier(second, true)).toBe(false)
  first.tainted = true
  expect(window.hasEarlier(second, true)).toBe(true)
})

test('acknowledgements that overtake do not widen the window: a broker remembers only the last batches', () => {
  const window = new Window(2)
  const [first, second, third] = [0, 1, 2].map(batch) as [Batch, Batch, Batch]
  for (const each of [first, second, third]) window.add(each)
  window.depart(first)
  window.depart(second)
  window.land(second)
  second.settle()
  expect(window.next()).toBeUndefined()
  window.land(first)
  first.settle()
  expect(window.next()).toBe(third)
})

test('whatever happens, batches that are sent keep their order and the window its size', () => {
  const steps = fc.array(
    fc.record({ step: fc.constantFrom('send', 'ack', 'retry'), pick: fc.nat(4) }),
  )
  fc.assert(
    fc.property(steps, (script) => {
      const window = new Window(5)
      for (let order = 0; order < 30; order++) window.add(batch(order))
      for (const { step, pick } of script) {
        const inFlight = window.inFlight[pick % (window.inFlight.length || 1)]
        if (step === 'send') {
          const next = window.next()
          if (next === undefined) continue
          for (const other of window.queue) expect(next.order).toBeLessThanOrEqual(other.order)
          window.depart(next)
        } else if (inFlight !== undefined) {
          window.land(inFlight)
          if (step === 'retry') window.requeue(inFlight)
          else inFlight.settle()
        }
        expect(window.inFlight.length).toBeLessThanOrEqual(5)
      }
    }),
  )
})
