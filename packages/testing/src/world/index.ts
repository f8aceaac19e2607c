// The door of the simulated world.
export { createWorld } from './create-world.ts'
export { type Duration, durationMs } from './duration.ts'
export type { Latency } from './latency.ts'
export type { LogLine } from './log-lines.ts'
export type { ProcessOptions } from './node-state.ts'
export type { ClockMode } from './scheduler.ts'
export type { DiskFaults, NetworkFaults, WaitOptions, World, WorldOptions } from './world.ts'
export type { WorldClock } from './world-clock.ts'
