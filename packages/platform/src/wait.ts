// Waiting with a deadline and a signal, on the clock of the Env.
import type { Clock } from './env.ts'

/** Resolves after `delayMs`; rejects with `signal.reason` when aborted first. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const timer = clock.timer(delayMs, () => {
      signal?.removeEventListener('abort', abort)
      resolve()
    })
    function abort() {
      timer.cancel()
      reject(signal?.reason)
    }
    signal?.addEventListener('abort', abort, { once: true })
  })
}

/**
 * Settles as `work` does, unless the signal aborts (`signal.reason`) or the deadline passes
 * (`onTimeout()`'s error) first. The work itself is not stopped; its late rejection is swallowed.
 */
export function withDeadline<T>(
  clock: Clock,
  work: Promise<T>,
  wait: { timeoutMs?: number | undefined; signal?: AbortSignal | undefined },
  onTimeout: () => Error,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer =
      wait.timeoutMs === undefined
        ? undefined
        : clock.timer(wait.timeoutMs, () => finish(() => reject(onTimeout())))
    const abort = () => finish(() => reject(wait.signal?.reason))
    let finished = false
    function finish(settle: () => void) {
      if (finished) return
      finished = true
      timer?.cancel()
      wait.signal?.removeEventListener('abort', abort)
      settle()
    }
    work.then(
      (value) => finish(() => resolve(value)),
      (error) => finish(() => reject(error)),
    )
    if (wait.signal?.aborted) return abort()
    wait.signal?.addEventListener('abort', abort, { once: true })
  })
}
