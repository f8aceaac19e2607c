import { metaStoreCompliance } from '../compliance/index.ts'
import { temporaryStore } from '../compliance/temporary-store.ts'

const HISTORY_MAX = 300

metaStoreCompliance('embedded', async () => {
  const world = await temporaryStore()
  const store = await world.open({ historyMax: HISTORY_MAX, logBytesMax: 20_000 })
  return {
    store,
    advance: (ms) => world.clock.advance(ms),
    compact: async () => {
      const writes = Array.from({ length: HISTORY_MAX + 1 }, (_, index) =>
        store.txn([], [{ op: 'put', key: '~compact', value: String(index) }], []),
      )
      await Promise.all(writes)
    },
    close: async () => {
      await store.close()
      await world.remove()
    },
  }
})
