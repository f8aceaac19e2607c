// Healed: everything that was sent is worked on by somebody and committed, the groups come to rest, and rest.
// Enters: the stage. Leaves: when that is so; a group that begins anew without a reason is a violation.
import { sleep } from '@minikafka/platform'
import { openClient } from '../stage/open-client.ts'
import { Violation } from '../stage/violation.ts'
import type { GroupPlan } from './member-plans.ts'
import { OFFSETS_TOPIC } from './offsets-log.ts'
import type { Stage } from './stage.ts'

const LOOK_MS = 100
const REST_MS = 5000
const REQUEST_TIMEOUT_MS = 5000

/** `still`: nobody sends, and no administrator is at work. */
export async function settle(stage: Stage, still: Promise<unknown>): Promise<void> {
  const { world, healed, plan } = stage
  await healed
  await still
  while (missing(stage) !== undefined) await sleep(world.clock, LOOK_MS)
  await using client = openClient(stage, 'settling', REQUEST_TIMEOUT_MS)
  const admin = client.admin()
  const groups = plan.groups.filter(({ members }) => members.length > 0)
  const look = () => Promise.all(groups.map(({ name }) => admin.describeGroup(name)))
  // Who was removed and has not heard of it believes that all is well.
  const isWhole = (index: number, { members }: { readonly members: readonly unknown[] }) =>
    members.length === groups[index]?.members.length
  let before = await look()
  while (!before.every((one, index) => one.state === 'Stable' && isWhole(index, one))) {
    await sleep(world.clock, LOOK_MS)
    before = await look()
  }
  await sleep(world.clock, REST_MS)
  for (const [index, { group, groupEpoch, rebalances }] of (await look()).entries()) {
    if (groupEpoch === before[index]?.groupEpoch) continue
    const reasons = rebalances.map(({ reason }) => reason).join('; ')
    throw new Violation('storm', `${group} does not come to rest: ${reasons}`)
  }
}

/** What is not done yet, in words; undefined: all is done, and everybody who should be is in. */
export function missing(stage: Stage): string | undefined {
  const facts = stage.daemon.broker?.partitions()
  if (facts === undefined) return 'the broker'
  for (const { group, plan, life } of stage.members) {
    if (life === undefined) return `${plan.name} is out of ${group.name}`
    const { state } = life.consumer.health()
    if (state !== 'stable') return `${plan.name} is ${state}`
  }
  for (const group of stage.plan.groups) {
    for (const { topic, partition, highWatermark, offline } of facts) {
      if (!isRead(group, topic)) continue
      const { committed, doneTo } = stage.ledger.progressOf(group.name, topic, partition)
      const where = `${group.name}: ${topic}-${partition} ends at ${highWatermark}`
      if (offline !== undefined) return `${topic}-${partition} is offline: ${offline}`
      if (doneTo < highWatermark) return `${where}, done to ${doneTo}`
      if (committed < highWatermark && highWatermark > 0)
        return `${where}, committed to ${committed}`
    }
  }
  return undefined
}

function isRead({ topics, members }: GroupPlan, topic: string): boolean {
  return topic !== OFFSETS_TOPIC && members.length > 0 && (topics?.includes(topic) ?? true)
}
