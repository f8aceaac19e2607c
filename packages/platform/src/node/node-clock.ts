// Time of this process.
import type { Clock, Timer } from '../env.ts'

/** setTimeout turns longer delays into 1 ms (CLIENT 3, behaviour 23). */
const DELAY_MS_MAX = 2 ** 31 - 1

export const nodeClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  timer: (delayMs, callback) =>
    delayMs <= DELAY_MS_MAX ? shortTimer(delayMs, callback) : longTimer(delayMs, callback),
  soon: (callback) => {
    setImmediate(callback)
  },
}

function shortTimer(delayMs: number, callback: () => void): Timer {
  // Rounded up: setTimeout cuts fractions, and a timer never fires early.
  const timeout = setTimeout(callback, Math.max(0, Math.ceil(delayMs)))
  return { cancel: () => clearTimeout(timeout) }
}

/** Waits in stretches, measured by the monotonic clock. */
function longTimer(delayMs: number, callback: () => void): Timer {
  const dueMs = performance.now() + delayMs
  let timeout: NodeJS.Timeout
  const wait = () => {
    const leftMs = dueMs - performance.now()
    timeout =
      leftMs <= 0
        ? setTimeout(callback, 0)
        : setTimeout(wait, Math.min(Math.ceil(leftMs), DELAY_MS_MAX))
  }
  wait()
  return { cancel: () => clearTimeout(timeout) }
}

/** One real turn of the event loop: all promises, then pending I/O. For the simulator's pump. */
export function realTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
