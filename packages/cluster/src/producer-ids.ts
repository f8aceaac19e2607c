// Producer ids, taken from the store in blocks (REPLICATION 2.10): never given twice.
import type { MetaStore } from './meta-store.ts'

export const PRODUCER_ID_BLOCK = 1000

/** Hands out ids; a block is fetched when the last one is used up, one fetch at a time. */
export class ProducerIds {
  constructor(_store: MetaStore) {}
  /** Errors: COORDINATOR_NOT_AVAILABLE, retriable, when the store cannot be reached. */
  next(): Promise<number> {
    throw new Error('unbuilt')
  }
}
