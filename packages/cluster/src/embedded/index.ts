// The door of the embedded store.
export { EmbeddedStore, type EmbeddedStoreOptions, openEmbeddedStore } from './embedded-store.ts'
export { StoreDamaged } from './store-damaged.ts'
