// Waiting that a signal ends.
import type { Env } from '@minikafka/client'

/** Resolves after `delayMs`; rejects with the reason of `signal` where that aborts first. */
export function sleep({ clock }: Env, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason)
      return
    }
    const aborted = () => {
      timer.cancel()
      reject(signal.reason)
    }
    const timer = clock.timer(delayMs, () => {
      signal.removeEventListener('abort', aborted)
      resolve()
    })
    signal.addEventListener('abort', aborted, { once: true })
  })
}

/** The items until `signal` aborts; what the source is waiting for then is not waited for. */
export async function* untilAborted<T>(
  items: AsyncIterable<T>,
  signal: AbortSignal,
): AsyncGenerator<T> {
  const iterator = items[Symbol.asyncIterator]()
  try {
    for (;;) {
      const next = await nextUntil(iterator, signal)
      if (next === undefined || next.done) return
      yield next.value
    }
  } finally {
    // Not awaited: an iterator that waits for input returns only when that comes.
    iterator.return?.()?.catch(() => undefined)
  }
}

function nextUntil<T>(
  iterator: AsyncIterator<T>,
  signal: AbortSignal,
): Promise<IteratorResult<T> | undefined> {
  return new Promise((resolve, reject) => {
    const aborted = () => resolve(undefined)
    if (signal.aborted) return aborted()
    signal.addEventListener('abort', aborted, { once: true })
    iterator
      .next()
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', aborted))
  })
}
