// What every implementation of the `clock` port must do.
import { describe, expect, test } from 'vitest'
import type { Clock } from '../env.ts'
import { inWorld, type MakeWorld, type PortWorld } from './port-world.ts'

/** Real clocks really wait: so it is short. */
const STEP_MS = 20

export function clockCompliance(name: string, makeWorld: MakeWorld<PortWorld<Clock>>): void {
  const inClock = (use: (world: PortWorld<Clock>) => Promise<void>) => inWorld(makeWorld, use)

  describe(`clock: ${name}`, () => {
    test('wall time is in whole milliseconds of this century', () =>
      inClock(async ({ port }) => {
        const wallMs = port.wallMs()
        expect(Number.isSafeInteger(wallMs)).toBe(true)
        expect(wallMs).toBeGreaterThan(Date.UTC(2025))
        expect(wallMs).toBeLessThan(Date.UTC(2100))
      }))

    test('both clocks go on while time passes, the monotonic one never back', () =>
      inClock(async ({ port, advance }) => {
        const before = { wallMs: port.wallMs(), monotonicMs: port.monotonicMs() }
        await advance(STEP_MS)
        expect(port.monotonicMs() - before.monotonicMs).toBeGreaterThanOrEqual(STEP_MS)
        expect(port.wallMs()).toBeGreaterThan(before.wallMs)
        for (let index = 0, lastMs = 0; index < 1000; index++) {
          const nowMs = port.monotonicMs()
          expect(nowMs).toBeGreaterThanOrEqual(lastMs)
          lastMs = nowMs
        }
      }))

    timers(inClock)
    laterTurns(inClock)
  })
}

type InClock = (use: (world: PortWorld<Clock>) => Promise<void>) => Promise<void>

function timers(inClock: InClock): void {
  test('a timer calls back once and not before its delay is over', () =>
    inClock(async ({ port, advance, run }) => {
      for (const delayMs of [0, 0.5, 1, 1.3, 2.9, STEP_MS]) {
        const startMs = port.monotonicMs()
        let count = 0
        const called = new Promise<number>((resolve) => {
          port.timer(delayMs, () => {
            count++
            resolve(port.monotonicMs())
          })
        })
        expect(count).toBe(0)
        expect((await run(called)) - startMs).toBeGreaterThanOrEqual(delayMs)
        await advance(2)
        expect(count).toBe(1)
      }
    }))

  test('what was due has run when time has passed', () =>
    inClock(async ({ port, advance }) => {
      let called = false
      port.timer(STEP_MS, () => {
        called = true
      })
      await advance(STEP_MS)
      expect(called).toBe(true)
    }))

  test('timers call back in the order of their times', () =>
    inClock(async ({ port, run }) => {
      const order: string[] = []
      const last = new Promise<void>((resolve) => {
        port.timer(3 * STEP_MS, () => {
          order.push('third')
          resolve()
        })
      })
      port.timer(2 * STEP_MS, () => order.push('second'))
      port.timer(STEP_MS, () => order.push('first'))
      await run(last)
      expect(order).toEqual(['first', 'second', 'third'])
    }))

  test('a cancelled timer never calls back; to cancel again, or too late, is fine', () =>
    inClock(async ({ port, advance }) => {
      let count = 0
      const cancelled = port.timer(STEP_MS, () => count++)
      cancelled.cancel()
      cancelled.cancel()
      const over = port.timer(1, () => count++)
      await advance(STEP_MS + 1)
      over.cancel()
      expect(count).toBe(1)
    }))

  test('a delay above 2^31 - 1 ms does not call back at once', () =>
    inClock(async ({ port, advance }) => {
      let called = false
      const timers = [2 ** 31, 2 ** 32 + 5, Number.MAX_SAFE_INTEGER].map((delayMs) =>
        port.timer(delayMs, () => {
          called = true
        }),
      )
      await advance(STEP_MS)
      expect(called).toBe(false)
      for (const timer of timers) timer.cancel()
    }))

  test('a timer may set and cancel timers from its callback', () =>
    inClock(async ({ port, run }) => {
      let wrong = false
      const other = port.timer(2 * STEP_MS, () => {
        wrong = true
      })
      await run(
        new Promise<void>((resolve) => {
          port.timer(1, () => {
            other.cancel()
            port.timer(3 * STEP_MS, resolve)
          })
        }),
      )
      expect(wrong).toBe(false)
    }))
}

function laterTurns(inClock: InClock): void {
  test('soon() calls back later, after the promises that are ready', () =>
    inClock(async ({ port, run }) => {
      const order: string[] = []
      const called = new Promise<void>((resolve) => {
        port.soon(() => {
          order.push('soon')
          resolve()
        })
      })
      void Promise.resolve().then(() => order.push('promise'))
      order.push('now')
      await run(called)
      expect(order).toEqual(['now', 'promise', 'soon'])
    }))

  test('each call of soon() gets its own call back', () =>
    inClock(async ({ port, run }) => {
      let count = 0
      await run(
        new Promise<void>((resolve) => {
          for (let index = 0; index < 10; index++) {
            port.soon(() => {
              if (++count === 10) resolve()
            })
          }
        }),
      )
      expect(count).toBe(10)
    }))
}
