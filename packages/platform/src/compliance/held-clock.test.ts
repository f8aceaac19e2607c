// The held clock is a twin: it passes the suite of the real one.

import type { Clock } from '../env.ts'
import { clockCompliance, HeldClock, type PortWorld } from './index.ts'

clockCompliance('held', (): PortWorld<Clock> => {
  const port = new HeldClock()
  return { port, advance: (ms) => port.advance(ms), run, close: async () => undefined }

  async function run<T>(promise: Promise<T>): Promise<T> {
    let settled = false
    const settle = () => {
      settled = true
    }
    promise.then(settle, settle)
    while (!settled) {
      await new Promise((resolve) => setImmediate(resolve))
      if (!settled) await port.advance(1)
    }
    return await promise
  }
})
