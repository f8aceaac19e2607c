// What all ports of one world stand on.
import type { BuggifyPoints } from './buggify-points.ts'
import type { Generator } from './generator.ts'
import type { Latency } from './latency.ts'
import type { RunningHash } from './running-hash.ts'
import type { Scheduler } from './scheduler.ts'

export type Ground = {
  readonly seed: number
  readonly scheduler: Scheduler
  readonly hash: RunningHash
  /** Wall clock at the beginning of the world. */
  readonly startWallMs: number
  readonly diskLatency: Latency
  readonly networkLatency: Latency
  /** Dice of the wires: which node is on which end does not matter. */
  readonly networkDice: Generator
  /** Rare branches are taken only where a test asked for them. */
  readonly buggify: BuggifyPoints
}
