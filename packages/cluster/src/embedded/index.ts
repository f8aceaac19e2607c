// The door of the embedded store.
export { EmbeddedStore, type EmbeddedStoreOptions, openEmbeddedStore } from './embedded-store.ts'
export { inspectEmbeddedStore } from './inspect-store.ts'
export { StoreDamaged } from './store-damaged.ts'
