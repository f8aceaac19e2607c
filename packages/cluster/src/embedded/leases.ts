// Leases in memory: who must renew until when. All of them end with the process.
import type { Env, Timer } from '@minikafka/platform'
import type { Lease } from '../meta-store.ts'

type Live = { readonly ttlMs: number; deadlineMs: number }

/** A timer this late means that the process stood still: nobody could renew, so nobody is punished. */
const STANDSTILL_MS = 1000

export class Leases {
  readonly #env: Env
  readonly #expired: (leaseId: string) => void
  readonly #byId = new Map<string, Live>()
  #timer: { readonly dueMs: number; readonly handle: Timer } | undefined

  /** `expired` is called once per lease that ended by itself, after it is gone from here. */
  constructor(env: Env, expired: (leaseId: string) => void) {
    this.#env = env
    this.#expired = expired
  }

  has(leaseId: string): boolean {
    return this.#byId.has(leaseId)
  }

  grant(ttlMs: number): Lease {
    const id = this.#env.random.uuid()
    this.#byId.set(id, { ttlMs, deadlineMs: this.#env.clock.monotonicMs() + ttlMs })
    this.#schedule()
    return { id, ttlMs }
  }

  keepAlive(leaseId: string): number | 'lost' {
    const lease = this.#byId.get(leaseId)
    if (lease === undefined) return 'lost'
    lease.deadlineMs = this.#env.clock.monotonicMs() + lease.ttlMs
    return lease.ttlMs
  }

  /** False: there was none. */
  remove(leaseId: string): boolean {
    return this.#byId.delete(leaseId)
  }

  close(): void {
    this.#timer?.handle.cancel()
    this.#timer = undefined
    this.#byId.clear()
  }

  /** One timer, for the lease that ends first; renewals leave it, it looks again when it fires. */
  #schedule(): void {
    const dueMs = Math.min(...Array.from(this.#byId.values(), ({ deadlineMs }) => deadlineMs))
    if (!Number.isFinite(dueMs)) return
    if (this.#timer !== undefined && this.#timer.dueMs <= dueMs) return
    this.#timer?.handle.cancel()
    const delayMs = Math.max(0, Math.ceil(dueMs - this.#env.clock.monotonicMs()))
    const handle = this.#env.clock.timer(delayMs, () => this.#sweep(dueMs))
    this.#timer = { dueMs, handle }
  }

  #sweep(dueMs: number): void {
    this.#timer = undefined
    const nowMs = this.#env.clock.monotonicMs()
    if (nowMs - dueMs > STANDSTILL_MS) this.#extendAll(nowMs)
    const ended = [...this.#byId].filter(([, { deadlineMs }]) => deadlineMs <= nowMs)
    for (const [leaseId] of ended) {
      this.#byId.delete(leaseId)
      this.#expired(leaseId)
    }
    this.#schedule()
  }

  /** As etcd does after a change of its leader. */
  #extendAll(nowMs: number): void {
    for (const lease of this.#byId.values()) lease.deadlineMs = nowMs + lease.ttlMs
  }
}
