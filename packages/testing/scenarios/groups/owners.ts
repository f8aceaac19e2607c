// At every moment one member at most believes that a partition is its own, but for those who cannot know better yet.
// Enters: a member that works on a partition. Leaves: a violation where another one still does, a moment later.
import { Violation } from '../stage/violation.ts'
import type { Life } from './life.ts'
import type { Member } from './member.ts'
import type { Stage } from './stage.ts'

/** Timers of two clocks, and a heartbeat on its way. */
const MOMENT_MS = 700

type At = { readonly topic: string; readonly partition: number }

export function watchOwners(stage: Stage, member: Member, at: At): void {
  const own = member.life
  for (const other of stage.members) {
    const { life } = other
    if (other === member || other.group !== member.group || life === undefined) continue
    if (!believesIn(life, at)) continue
    stage.world.clock.timer(MOMENT_MS, () => {
      const isStill = other.life === life && member.life === own && own !== undefined
      if (!isStill || !believesIn(life, at) || !believesIn(own, at)) return
      stage.accuse(
        new Violation(
          'two-owners',
          `${life.member} and ${own.member} both read ${at.topic}-${at.partition}`,
        ),
      )
    })
  }
}

function believesIn(life: Life, at: At): boolean {
  const isIt = (one: At) => one.topic === at.topic && one.partition === at.partition
  return !life.isStale && life.consumer.assignment().some(isIt)
}
