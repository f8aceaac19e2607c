import { expect, test } from 'vitest'
import type { Clock, Timer } from './env.ts'
import { sleep, withDeadline } from './wait.ts'

/** A clock of the test: timers run when it says so. */
function handClock() {
  const timers = new Set<{ atMs: number; callback: () => void }>()
  let nowMs = 0
  const clock: Clock = {
    wallMs: () => nowMs,
    monotonicMs: () => nowMs,
    soon: (callback) => queueMicrotask(callback),
    timer: (delayMs, callback): Timer => {
      const entry = { atMs: nowMs + delayMs, callback }
      timers.add(entry)
      return { cancel: () => timers.delete(entry) }
    },
  }
  const advance = (ms: number) => {
    nowMs += ms
    for (const entry of [...timers]) {
      if (entry.atMs <= nowMs && timers.delete(entry)) entry.callback()
    }
  }
  return { clock, advance, pending: () => timers.size }
}

test('sleep ends when its time has come', async () => {
  const { clock, advance } = handClock()
  const asleep = sleep(clock, 100)
  advance(100)
  await expect(asleep).resolves.toBeUndefined()
})

test('an aborted sleep rejects with the reason and leaves no timer', async () => {
  const { clock, pending } = handClock()
  const controller = new AbortController()
  const asleep = sleep(clock, 100, controller.signal)
  controller.abort('enough')
  await expect(asleep).rejects.toBe('enough')
  await expect(sleep(clock, 1, controller.signal)).rejects.toBe('enough')
  expect(pending()).toBe(0)
})

test('work that is in time settles as it does, and its timer is gone', async () => {
  const { clock, pending } = handClock()
  const late = () => new Error('late')
  await expect(withDeadline(clock, Promise.resolve(1), { timeoutMs: 5 }, late)).resolves.toBe(1)
  await expect(withDeadline(clock, Promise.reject('no'), { timeoutMs: 5 }, late)).rejects.toBe('no')
  expect(pending()).toBe(0)
})

test('work that is late is left alone: the wait rejects', async () => {
  const { clock, advance } = handClock()
  const never = new Promise<void>(() => {})
  const waited = withDeadline(clock, never, { timeoutMs: 5 }, () => new Error('late'))
  advance(5)
  await expect(waited).rejects.toThrow('late')
})

test('a signal that aborted before, or aborts later, ends the wait with its reason', async () => {
  const { clock, pending } = handClock()
  const never = new Promise<void>(() => {})
  const controller = new AbortController()
  const wait = { timeoutMs: 5, signal: controller.signal }
  const waited = withDeadline(clock, never, wait, () => new Error('late'))
  controller.abort('enough')
  await expect(waited).rejects.toBe('enough')
  await expect(withDeadline(clock, never, wait, () => new Error('late'))).rejects.toBe('enough')
  expect(pending()).toBe(0)
})

test('what becomes of the work after its wait has ended is nobody’s rejection', async () => {
  const { clock } = handClock()
  const wait = { signal: AbortSignal.abort('enough') }
  const late = () => new Error('late')
  await expect(withDeadline(clock, Promise.reject('no'), wait, late)).rejects.toBe('enough')
})
