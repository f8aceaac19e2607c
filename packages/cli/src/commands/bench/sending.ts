// The producing side of a bench: closed (as many as go, or one at a time) or at a rate, whatever the answers do.
// Enters: a producer and a plan. Leaves: records sent, each told to the run when it is settled.
import type { Producer } from '@minikafka/client'
import type { Session } from '../../session.ts'
import { sleep } from '../../sleep.ts'
import type { BenchPlan } from './plan.ts'
import type { Run } from './run.ts'

/** Records of one client that wait for their acknowledgement: enough to fill batches, little memory. */
const WINDOW = 10_000
/** So many are sent before others have a turn. */
const BURST = 256

export type Sending = {
  readonly plan: BenchPlan
  readonly run: Run
  readonly topic: string
  readonly partitions: number
  /** What goes with a record that is due at that time. */
  readonly headers?: (dueMs: number) => [string, Buffer][]
  /** Called in place of the run when a record is acknowledged. */
  readonly acknowledged?: () => void
}

/** Sends until the run is over, and waits for what was sent. `index`: of this client. */
export async function send(
  session: Session,
  producer: Producer,
  sending: Sending,
  index: number,
): Promise<void> {
  const { rate, kind } = sending.plan
  const window = new Window(session, producer, sending, index)
  if (rate > 0) await atRate(session, window, sending, index)
  else await closed(session, window, sending, kind === 'latency' ? 1 : WINDOW)
  await window.empty()
}

/** The next one goes when there is room. */
async function closed(session: Session, window: Window, { run }: Sending, max: number) {
  const { clock } = session.env
  while (!run.isOver) {
    for (let i = 0; i < BURST && window.size < max && !run.isOver; i++)
      window.put(clock.monotonicMs())
    if (window.size >= max) await window.settledOne()
    else await new Promise<void>((resolve) => clock.soon(resolve))
  }
}

/**
 * Each record has a time at which it is due, and counts from then: what waits because an answer is late is late too
 * (coordinated omission, Tene 2013). Clients take turns.
 */
async function atRate(session: Session, window: Window, sending: Sending, index: number) {
  const { clock } = session.env
  const { run, plan } = sending
  const everyMs = (1000 / plan.rate) * plan.clients
  let dueMs = clock.monotonicMs() + (index * 1000) / plan.rate
  while (!run.isOver) {
    const nowMs = clock.monotonicMs()
    for (; dueMs <= nowMs && window.size < WINDOW && !run.isOver; dueMs += everyMs)
      window.put(dueMs)
    if (run.isOver) return
    if (window.size >= WINDOW) await window.settledOne()
    else if (dueMs > nowMs) await sleep(session.env, dueMs - nowMs, run.ended).catch(() => {})
  }
}

/** What one client has under way. */
class Window {
  size = 0
  readonly #session: Session
  readonly #producer: Producer
  readonly #sending: Sending
  #next: number
  #wake: () => void = () => {}

  constructor(session: Session, producer: Producer, sending: Sending, index: number) {
    this.#session = session
    this.#producer = producer
    this.#sending = sending
    this.#next = index
  }

  put(dueMs: number): void {
    const { plan, run, topic, partitions, headers, acknowledged } = this.#sending
    const value = plan.payloads[run.started % plan.payloads.length] as Buffer
    const partition = this.#next++ % partitions
    run.started++
    this.size++
    const record = { value, partition, ...(headers ? { headers: headers(dueMs) } : {}) }
    this.#producer.send(topic, record).then(
      () => {
        this.#settled()
        if (acknowledged) acknowledged()
        else run.done(value.length, this.#session.env.clock.monotonicMs() - dueMs)
      },
      (error: unknown) => {
        this.#settled()
        run.lost(error)
      },
    )
  }

  settledOne(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }

  async empty(): Promise<void> {
    while (this.size > 0) await this.settledOne()
  }

  #settled(): void {
    this.size--
    this.#wake()
  }
}
