// What all players of a run share, whichever scenario it is: the world, the broker, how far the run has got.
import type { World } from '../../src/world/index.ts'
import type { Daemon } from './daemon.ts'
import type { Timeline } from './timeline.ts'

export type Stage = {
  readonly world: World
  readonly plan: {
    readonly seed: number
    readonly settings: Readonly<Record<string, string | number>>
  }
  readonly timeline: Timeline
  readonly daemon: Daemon
  /** Nodes that talk to the broker; and those of them whose answers matter most, for what they asked is written. */
  readonly clients: readonly string[]
  readonly writers: readonly string[]
  /** Called at each acknowledgement. */
  readonly onAck: Set<() => void>
  /** Called whenever an administrator begins something. */
  readonly onAdmin: Set<() => void>
  /** The faults are over: nothing new is begun, what is open is brought to its end. */
  readonly isHealing: () => boolean
  /** Resolves when the faults are over. */
  readonly healed: Promise<void>
  /** From when on nothing waits for a fault any more. */
  readonly calm: { fromMs: number }
}
