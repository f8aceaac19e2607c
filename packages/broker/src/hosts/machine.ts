// What the host needs of a state machine whose records it keeps: the groups of one partition, or a small one in tests.
// Enters: types alone.
import type { GroupRequest, GroupResponse } from '@minikafka/coordinator'

export type Decided<Change, Response> = {
  readonly records: readonly Change[]
  readonly response: Response
  readonly wakeAt?: number | undefined
}

/** Pure and synchronous; state holds committed facts only (REPLICATION 2.13.1). */
export type Machine<Change> = {
  /** Errors: a MinikafkaError refuses, and nothing is to be written. */
  handle(request: GroupRequest, nowMs: number): Decided<Change, GroupResponse[GroupRequest['kind']]>
  replay(offset: number, record: Change): void
  /** All is replayed: every deadline starts anew, in full. */
  loaded(nowMs: number): void
  /** When the group wants to be asked again; undefined: never by itself. */
  wakeAt(groupId: string): number | undefined
  groupIds(): Iterable<string>
  readonly groupCount: number
}

/** Between the machine's records and those of the log. */
export type RecordCodec<Change> = {
  encode(record: Change): { readonly key: Uint8Array; readonly value: Uint8Array | null }
  /** undefined: of a type that this version does not know; it is kept and ignored. Errors: it is damaged. */
  decode(key: Uint8Array, value: Uint8Array | null): Change | undefined
}
