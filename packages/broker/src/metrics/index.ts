// The door of the metrics room.
export { Pages } from './pages.ts'
export type { Watched } from './watched.ts'
