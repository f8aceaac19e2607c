// The last look: the log of the groups, on the disk of the broker that has stopped, against what was answered.
// Enters: the stage, and where partitions stood. Leaves: nothing, or the promise that was broken.
import type { PartitionFacts } from 'minikafka-broker'
import { BROKER } from '../stage/daemon.ts'
import { Violation } from '../stage/violation.ts'
import { Chronicle } from './chronicle.ts'
import { decisionsOf, isWhole, OFFSETS_TOPIC } from './offsets-log.ts'
import type { Stage } from './stage.ts'

/** `facts`: as the broker told them last. */
export function judge(stage: Stage, facts: readonly PartitionFacts[]): void {
  const { world, timeline, observer } = stage
  const { compress } = world.env('judge')
  const disk = world.disk(BROKER)
  const own = facts.filter(({ topic }) => topic === OFFSETS_TOPIC)
  const logs = own.map(({ partition }) => decisionsOf(disk, partition, compress))
  // Compaction leaves out what happened in between: what it leaves is the last word of each key.
  const isAllThere = logs.every(isWhole)
  const chronicle = new Chronicle({ isWhole: isAllThere })
  for (const decision of logs.flat()) chronicle.decided(decision)
  timeline.count(isAllThere ? 'judged logs of groups' : 'compacted logs of groups')
  timeline.count('rebalances', chronicle.rebalances)
  const accepted = isAllThere ? observer.accepted : []
  for (const { group, number, topicId, partition, offset } of accepted) {
    if (chronicle.commits.has(`${number} ${topicId}:${partition}`)) continue
    const what = `${group} was told that ${offset} of ${topicId}-${partition} is kept (commit ${number})`
    throw new Violation('lost-commit', `${what}, and it is not in the log`)
  }
  judgePositions(stage, facts, chronicle)
}

function judgePositions(
  { plan, ledger }: Stage,
  facts: readonly PartitionFacts[],
  chronicle: Chronicle,
): void {
  for (const { name } of plan.groups) {
    for (const { topic, topicId, partition } of facts) {
      const { committed } = ledger.progressOf(name, topic, partition)
      const found = chronicle.positionOf(name, topicId, partition) ?? -1
      if (found >= committed) continue
      throw new Violation(
        'lost-commit',
        `${name}: ${committed} of ${topic}-${partition} is committed, the log says ${found}`,
      )
    }
  }
}
