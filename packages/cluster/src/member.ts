// One broker's membership: registration on a lease, renewed until it leaves (REPLICATION 2.7, 2.8).
import type { Address, Env } from '@minikafka/platform'
import type { MetaStore } from './meta-store.ts'

export type Registration = {
  readonly brokerId: number
  /** From meta.json; another one in the store is refused. */
  readonly clusterId: string
  /** Random, one per process. */
  readonly incarnation: string
  readonly dirIds: readonly string[]
  readonly endpoints: ReadonlyMap<string, Address>
  readonly rack?: string | undefined
  readonly version: string
  /** Default 9 s. */
  readonly leaseTtlMs?: number | undefined
  /** Asked before each renewal: a broker that cannot serve lets its lease die. */
  readonly mayRenew?: (() => boolean) | undefined
}

/** The store's cluster: written by the first to come (`meta` create-if-absent), read by all others. */
export function bootstrapCluster(
  _store: MetaStore,
  _clusterId: string,
): Promise<{ clusterId: string; created: boolean }> {
  throw new Error('unbuilt')
}

/** 22 characters of base64url, as Kafka's. */
export function newClusterId(_env: Env): string {
  throw new Error('unbuilt')
}

export class Member {
  /** Errors: MinikafkaError INCONSISTENT_CLUSTER_ID, DUPLICATE_BROKER_REGISTRATION. */
  static join(_env: Env, _store: MetaStore, _registration: Registration): Promise<Member> {
    throw new Error('unbuilt')
  }
  get brokerId(): number {
    throw new Error('unbuilt')
  }
  /** Create revision of `b/<id>`; changes when the lease was lost and the broker registered again. */
  get brokerEpoch(): number {
    throw new Error('unbuilt')
  }
  /** False after the lease deadline: acks 0 and 1 are refused then (REPLICATION 2.8). */
  holdsLease(): boolean {
    throw new Error('unbuilt')
  }
  /** Registered again under a new broker epoch. */
  onRejoin(_listener: (brokerEpoch: number) => void): () => void {
    throw new Error('unbuilt')
  }
  /** Revokes the lease: gone at once. */
  leave(): Promise<void> {
    throw new Error('unbuilt')
  }
}
