// How late the event loop is: everything that this process does waits for it. Enters: a clock. Leaves: a histogram.
import type { Clock, Timer } from '@minikafka/platform'
import { Histogram, type Registry } from 'prom-client'

/** Ten looks a second see a stall of 100 ms surely, and cost nothing that can be measured. */
const LOOK_MS = 100

export function watchLoop(clock: Clock, registry: Registry): () => void {
  const delay = new Histogram({
    name: 'minikafka_event_loop_delay_seconds',
    help: 'How much later than asked for a timer fired, looked at ten times a second.',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    registers: [registry],
  })
  let timer: Timer
  const sleep = () => {
    const dueMs = clock.monotonicMs() + LOOK_MS
    timer = clock.timer(LOOK_MS, () => {
      delay.observe(Math.max(0, clock.monotonicMs() - dueMs) / 1000)
      sleep()
    })
  }
  sleep()
  return () => timer.cancel()
}
