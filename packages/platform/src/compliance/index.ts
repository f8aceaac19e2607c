// The door of the compliance suites: one per port, run on every implementation, the simulated ones included.
export { clockCompliance } from './clock.ts'
export { compressCompliance } from './compress.ts'
export { type DiskWorld, diskCompliance } from './disk.ts'
export { HeldClock } from './held-clock.ts'
export { type HttpServerWorld, httpServerCompliance } from './http-server.ts'
export { type NetworkWorld, networkCompliance } from './network.ts'
export type { MakeWorld, PortWorld } from './port-world.ts'
export { randomCompliance } from './random.ts'
