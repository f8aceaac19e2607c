// Producer ids, taken from the store in blocks (REPLICATION 2.10): none is given twice, a crash wastes the rest of a block.
import { assert } from '@minikafka/platform'
import { isMinikafkaError, MinikafkaError } from '@minikafka/protocol'
import { PRODUCER_ID_KEY } from './keys.ts'
import { type MetaStore, NotApplied, Unknown } from './meta-store.ts'
import { MalformedValue } from './value-codec.ts'
import { producerIdCodec } from './values.ts'

export const PRODUCER_ID_BLOCK = 1000
const ATTEMPTS_MAX = 10

/** Hands ids out; a new block is fetched when the last one is used up, one fetch at a time. */
export class ProducerIds {
  readonly #store: MetaStore
  #next = 0
  #end = 0
  #fetching: Promise<void> | undefined

  constructor(store: MetaStore) {
    this.#store = store
  }

  /** Errors: COORDINATOR_NOT_AVAILABLE, retriable, when the store gives no block. */
  async next(): Promise<number> {
    while (this.#next === this.#end) {
      this.#fetching ??= this.#fetch().finally(() => {
        this.#fetching = undefined
      })
      await this.#fetching
    }
    return this.#next++
  }

  async #fetch(): Promise<void> {
    assert(this.#next === this.#end, 'a block is fetched when the last one is used up')
    this.#next = await takeBlock(this.#store)
    this.#end = this.#next + PRODUCER_ID_BLOCK
  }
}

/** First id of a block that nobody else gets. A block whose fate is unknown is wasted, never used. */
async function takeBlock(store: MetaStore): Promise<number> {
  let cause: unknown
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    try {
      const first = await tryTakeBlock(store)
      if (first !== undefined) return first
    } catch (error) {
      if (!isExpected(error)) throw error
      cause = error
    }
  }
  throw new MinikafkaError(
    'COORDINATOR_NOT_AVAILABLE',
    { message: 'no block of producer ids can be had from the metadata store right now; try again' },
    { cause },
  )
}

function isExpected(error: unknown): boolean {
  const ours = error instanceof NotApplied || error instanceof Unknown
  return ours || error instanceof MalformedValue || isMinikafkaError(error)
}

async function tryTakeBlock(store: MetaStore): Promise<number | undefined> {
  const { kvs } = await store.range(PRODUCER_ID_KEY)
  const kv = kvs.find(({ key }) => key === PRODUCER_ID_KEY)
  const present = kv === undefined ? { next: 0 } : producerIdCodec.decode(kv.value)
  const value = producerIdCodec.encode({ ...present, next: present.next + PRODUCER_ID_BLOCK })
  const { ok } = await store.txn(
    [{ key: PRODUCER_ID_KEY, modRev: kv?.modRev ?? 0 }],
    [{ op: 'put', key: PRODUCER_ID_KEY, value }],
    [],
  )
  return ok ? present.next : undefined
}
