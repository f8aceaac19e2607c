// The door of the metrics room.
export { Pages } from './pages.ts'
export { errorOf, RequestCounts } from './request-counts.ts'
export type { Watched } from './watched.ts'
