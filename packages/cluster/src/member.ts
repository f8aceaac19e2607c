// One broker's membership: registered on a lease that it renews until it leaves (REPLICATION 2.7, 2.8).
// Enters: who the broker is. Leaves: its broker epoch, and word when the lease was lost and it registered again.
import { type Address, assert, type Env, sleep, type Timer } from '@minikafka/platform'
import { MinikafkaError } from '@minikafka/protocol'
import { brokerKey, META_KEY } from './keys.ts'
import { type MetaStore, NotApplied, Unknown } from './meta-store.ts'
import { brokerCodec, clusterCodec } from './values.ts'

export type Registration = {
  readonly brokerId: number
  /** From meta.json; another one in the store is refused. */
  readonly clusterId: string
  /** Random, one per process. */
  readonly incarnation: string
  readonly dirIds: readonly string[]
  /** By name of the listener; host '' or port 0: as the client dialled. */
  readonly endpoints: ReadonlyMap<string, Address>
  readonly rack?: string | undefined
  readonly version: string
  /** Broker epoch in clean-shutdown.json; undefined after an unclean stop. */
  readonly cleanEpoch?: number | undefined
  /** Default 9 s; renewed three times as often. */
  readonly leaseTtlMs?: number | undefined
  /** Asked before each renewal: a broker that cannot serve lets its lease die. */
  readonly mayRenew?: (() => boolean) | undefined
}

const LEASE_TTL_MS = 9000
/** The store's clock may run ahead of ours by so much. */
const LEASE_MARGIN_MS = 1000
const REVOKE_ATTEMPTS_MAX = 5
const REJOIN_MS_MAX = 2000

/** 22 characters of base64url, as Kafka's. */
export function newClusterId(env: Env): string {
  return env.random.bytes(16).toString('base64url')
}

/** The id of the store's cluster: written by the first to come, found by all others (T37). */
export async function bootstrapCluster(
  store: MetaStore,
  clusterId: string,
): Promise<{ clusterId: string; created: boolean }> {
  const value = clusterCodec.encode({
    clusterId,
    formatVersion: 1,
    minClientVersion: '0.0.0',
    featureLevel: 1,
  })
  const { ok, results } = await store.txn(
    [{ key: META_KEY, createRev: 0 }],
    [{ op: 'put', key: META_KEY, value }],
    [{ op: 'get', key: META_KEY }],
  )
  if (ok) return { clusterId, created: true }
  const [found] = results
  const kv = found?.op === 'get' ? found.kvs[0] : undefined
  assert(kv !== undefined, 'a key that exists is found')
  return { clusterId: clusterCodec.decode(kv.value).clusterId, created: false }
}

type Held = { readonly brokerEpoch: number; readonly leaseId: string; readonly ttlMs: number }

export class Member {
  readonly #env: Env
  readonly #store: MetaStore
  readonly #registration: Registration
  readonly #listeners = new Set<(brokerEpoch: number) => void>()
  #held: Held
  /** Monotonic: after it the store may have given the lease up. */
  #deadlineMs: number
  #timer: Timer | undefined
  readonly #leaving = new AbortController()
  #renewing: Promise<void> = Promise.resolve()

  private constructor(
    env: Env,
    store: MetaStore,
    registration: Registration,
    held: Held,
    sentMs: number,
  ) {
    this.#env = env
    this.#store = store
    this.#registration = registration
    this.#held = held
    this.#deadlineMs = sentMs + held.ttlMs - LEASE_MARGIN_MS
    this.#schedule()
  }

  /**
   * Registers. Its own dead predecessor (same data directory: this process holds the lock) is put out at once.
   *
   * Errors  INCONSISTENT_CLUSTER_ID, DUPLICATE_BROKER_REGISTRATION; NotApplied, Unknown.
   */
  static async join(env: Env, store: MetaStore, registration: Registration): Promise<Member> {
    const { clusterId } = await bootstrapCluster(store, registration.clusterId)
    if (clusterId !== registration.clusterId) {
      throw new MinikafkaError('INCONSISTENT_CLUSTER_ID', {
        message:
          `the data directory belongs to cluster ${registration.clusterId}, the metadata store to ` +
          `cluster ${clusterId}: start the broker with the one that belongs to the other`,
      })
    }
    const sentMs = env.clock.monotonicMs()
    const held = await register(store, registration, registration.cleanEpoch)
    return new Member(env, store, registration, held, sentMs)
  }

  get brokerId(): number {
    return this.#registration.brokerId
  }

  get incarnation(): string {
    return this.#registration.incarnation
  }

  /** Create revision of `b/<id>`; another one after the lease was lost. */
  get brokerEpoch(): number {
    return this.#held.brokerEpoch
  }

  get leaseId(): string {
    return this.#held.leaseId
  }

  /** False from the lease deadline on: acks 0 and 1 are refused then (REPLICATION 2.8). */
  holdsLease(): boolean {
    return this.#env.clock.monotonicMs() < this.#deadlineMs
  }

  /** Called after the lease was lost and the broker registered again, as the same incarnation. */
  onRejoin(listener: (brokerEpoch: number) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Revokes the lease: the others know at once. */
  async leave(): Promise<void> {
    this.#leaving.abort()
    this.#timer?.cancel()
    await this.#renewing
    await this.#store.revoke(this.#held.leaseId)
  }

  #schedule(): void {
    this.#timer = this.#env.clock.timer(this.#held.ttlMs / 3, () => {
      this.#renewing = this.#renew()
    })
  }

  async #renew(): Promise<void> {
    if (this.#registration.mayRenew?.() ?? true) await this.#keepAlive()
    if (!this.#leaving.signal.aborted) this.#schedule()
  }

  async #keepAlive(): Promise<void> {
    const sentMs = this.#env.clock.monotonicMs()
    try {
      const ttlMs = await this.#store.keepAlive(this.#held.leaseId)
      if (ttlMs === 'lost') await this.#rejoin()
      else this.#deadlineMs = sentMs + ttlMs - LEASE_MARGIN_MS
    } catch (error) {
      rethrowUnexpected(error)
      this.#env.logger.warn({ err: error }, 'could not renew the lease of this broker')
    }
  }

  /** Never gives up and never exits: T32. */
  async #rejoin(): Promise<void> {
    const { clock, logger } = this.#env
    for (
      let waitMs = 50;
      !this.#leaving.signal.aborted;
      waitMs = Math.min(waitMs * 2, REJOIN_MS_MAX)
    ) {
      const sentMs = clock.monotonicMs()
      try {
        this.#held = await register(this.#store, this.#registration, this.#held.brokerEpoch)
        this.#deadlineMs = sentMs + this.#held.ttlMs - LEASE_MARGIN_MS
        logger.warn({ brokerEpoch: this.#held.brokerEpoch }, 'the lease was lost, registered again')
        for (const listener of this.#listeners) listener(this.#held.brokerEpoch)
        return
      } catch (error) {
        if (!(error instanceof MinikafkaError)) rethrowUnexpected(error)
        logger.warn({ err: error }, 'the lease was lost, cannot register again yet')
      }
      await sleep(clock, waitMs, this.#leaving.signal).catch(() => undefined)
    }
  }
}

async function register(
  store: MetaStore,
  registration: Registration,
  previousEpoch: number | undefined,
): Promise<Held> {
  const { brokerId, dirIds } = registration
  const lease = await store.grant(registration.leaseTtlMs ?? LEASE_TTL_MS)
  const key = brokerKey(brokerId)
  const value = brokerCodec.encode({
    incarnation: registration.incarnation,
    dirIds,
    endpoints: registration.endpoints,
    rack: registration.rack,
    version: registration.version,
    leaseId: lease.id,
    draining: false,
    previousEpoch,
  })
  for (let attempt = 0; attempt < REVOKE_ATTEMPTS_MAX; attempt++) {
    const { ok, rev, results } = await store.txn(
      [{ key, createRev: 0 }],
      [{ op: 'put', key, value, leaseId: lease.id }],
      [{ op: 'get', key }],
    )
    if (ok) return { brokerEpoch: rev, leaseId: lease.id, ttlMs: lease.ttlMs }
    const [found] = results
    const kv = found?.op === 'get' ? found.kvs[0] : undefined
    if (kv === undefined) continue
    // An earlier attempt of this very call, whose answer was lost.
    if (kv.leaseId === lease.id)
      return { brokerEpoch: kv.createRev, leaseId: lease.id, ttlMs: lease.ttlMs }
    const present = brokerCodec.decode(kv.value)
    if (!present.dirIds.some((id) => dirIds.includes(id))) break
    await store.revoke(present.leaseId)
  }
  await store.revoke(lease.id)
  throw new MinikafkaError('DUPLICATE_BROKER_REGISTRATION', {
    message: `another broker with another data directory is at work as broker ${brokerId}: give each its own node.id`,
  })
}

function rethrowUnexpected(error: unknown): void {
  if (!(error instanceof NotApplied || error instanceof Unknown)) throw error
}
