// What befalls members, and what an administrator does meanwhile. Each kind has a loop and dice of its own, so that leaving
// one out does not shift the others. Enters: the plan's moves. Leaves: members that come again, once the faults are over.
import { type Admin, type Client, isMinikafkaError } from '@minikafka/client'
import { sleep } from '@minikafka/platform'
import { Connection } from '@minikafka/protocol'
import { BROKER, PORT } from '../stage/daemon.ts'
import { Dice } from '../stage/dice.ts'
import { openClient } from '../stage/open-client.ts'
import type { Member } from './member.ts'
import type { GroupPlan } from './member-plans.ts'
import type { Accepted } from './observer.ts'
import type { MoveKind, MovePlan } from './plan.ts'
import type { Stage } from './stage.ts'

const REQUEST_TIMEOUT_MS = 3000
const WAIT = { timeoutMs: 5000 }
const PARTITIONS_MAX = 16
const LATE_TOPICS_MAX = 2
/** Who leaves finishes what is in hand first. */
const LEAVING_MS = 8000
const LOOK_MS = 100

type Move = (play: Playing) => void | Promise<void>
type Playing = { readonly stage: Stage; readonly admin: Admin; readonly dice: Dice }

/** Resolves when the faults are over and nothing is half done. */
export async function move(stage: Stage, { kind, meanMs }: MovePlan): Promise<void> {
  const { world, plan, timeline, healed, isHealing } = stage
  const dice = new Dice(plan.seed, `move ${kind}`)
  let client: Client | undefined
  for (;;) {
    await Promise.race([sleep(world.clock, dice.waitMs(meanMs)), healed])
    if (isHealing()) break
    client ??= openClient(stage, `admin-${kind}`, REQUEST_TIMEOUT_MS)
    timeline.count(`${IS_FAULT.includes(kind) ? 'fault member' : 'admin'} ${kind}`)
    for (const listener of [...stage.onAdmin]) listener()
    try {
      await moves[kind]({ stage, admin: client.admin(), dice })
    } catch (error) {
      if (!isMinikafkaError(error)) throw error
      timeline.add(`admin ${kind}`, `${error.name}: ${error.message.slice(0, 120)}`)
    }
  }
  await client?.close()
}

const IS_FAULT: readonly MoveKind[] = ['crash', 'freeze']

const moves: Readonly<Record<MoveKind, Move>> = {
  leave: ({ stage, dice }) => {
    someone(stage, dice)?.leave()
  },
  crash: ({ stage, dice }) => {
    const member = someone(stage, dice)
    if (member === undefined) return
    stage.timeline.add('nemesis', `kill -9 ${member.plan.name}`)
    member.crash()
  },
  freeze: async ({ stage, dice }) => {
    const member = someone(stage, dice)
    const forMs = dice.scale(200, 25_000)
    if (member === undefined || member.isFrozen) return
    stage.timeline.add('nemesis', `SIGSTOP ${member.plan.name} for ${forMs} ms`)
    member.freeze()
    await Promise.race([sleep(stage.world.clock, forMs), stage.healed])
    stage.timeline.add('nemesis', `SIGCONT ${member.plan.name}`)
    member.thaw()
  },
  remove: async ({ stage, admin, dice }) => {
    const { name } = dice.pick(stage.plan.groups)
    const { members } = await admin.describeGroup(name, WAIT)
    if (members.length === 0) return
    const { memberId, clientId } = dice.pick(members)
    stage.timeline.add('admin', `removes ${clientId}`)
    const removed = stage.members.find(({ plan }) => plan.name === clientId)
    removed?.life?.removed()
    await admin.removeMember(name, memberId, WAIT)
  },
  reset: async ({ stage, admin, dice }) => {
    const group = dice.pick(stage.plan.groups)
    const to = dice.chance(0.3) ? ('earliest' as const) : { shift: -dice.between(1, 20) }
    await whileEmpty(stage, group, async () => {
      const moved = await admin.resetOffsets(group.name, { to }, WAIT)
      stage.timeline.add('admin', `${group.name} is sent back: ${JSON.stringify(to)}`)
      stage.timeline.count('resets', moved.length)
    })
  },
  grow: async ({ stage, admin, dice }) => {
    const topic = dice.pick(stage.topics)
    const info = await admin.describeTopic(topic, WAIT)
    const partitions = info.partitions.length + dice.between(1, 3)
    if (partitions > PARTITIONS_MAX) return
    stage.timeline.add('admin', `${topic} grows to ${partitions} partitions`)
    await admin.addPartitions(topic, partitions, {}, WAIT)
  },
  create: async ({ stage, admin, dice }) => {
    const number = stage.topics.filter((topic) => topic.startsWith('late')).length
    if (number >= LATE_TOPICS_MAX) return
    const name = `late-${number}`
    stage.timeline.add('admin', `makes ${name}`)
    await admin.createTopic(name, { partitions: dice.between(1, 4) }, WAIT)
    stage.topics.push(name)
  },
  'late-commit': async ({ stage, dice }) => {
    const late = stage.observer.outdated()
    if (late.length > 0) await commitLate(stage, dice.pick(late))
  },
  look: async ({ stage, admin, dice }) => {
    const { name } = dice.pick(stage.plan.groups)
    await admin.describeGroup(name, WAIT)
    await admin.lag(name, WAIT)
    await admin.listGroups(WAIT)
  },
}

/** As if the network had kept it until now. Nobody hears whether it counts: the log tells. */
async function commitLate(stage: Stage, late: Accepted): Promise<void> {
  const { group: groupId, memberId, memberEpoch, instanceId, topicId, partition, offset } = late
  const name = 'late-commit'
  const connection = await Connection.open(stage.world.env(name), {
    ...{ host: BROKER, port: PORT, timeoutMs: REQUEST_TIMEOUT_MS },
    ...{ clientName: name, clientVersion: '0', clientId: name },
  })
  try {
    const position = { topicId, partition, offset, leaderEpoch: -1, metadata: null }
    const request = { groupId, memberId, memberEpoch, instanceId, positions: [position] }
    await connection.call('offsetCommit', request, { timeoutMs: REQUEST_TIMEOUT_MS })
  } finally {
    connection.close()
  }
}

function someone({ members }: Stage, dice: Dice): Member | undefined {
  const present = members.filter(({ isOut }) => !isOut)
  return present.length === 0 ? undefined : dice.pick(present)
}

/** Nobody is in the group, as far as its members know: who died may still count. */
async function whileEmpty(
  stage: Stage,
  group: GroupPlan,
  work: () => Promise<void>,
): Promise<void> {
  const own = stage.members.filter((member) => member.group === group)
  let letIn = () => {}
  const until = new Promise<void>((resolve) => {
    letIn = resolve
  })
  for (const member of own) member.stayOut(until)
  try {
    for (let waitedMs = 0; own.some(({ isOut }) => !isOut); waitedMs += LOOK_MS) {
      if (stage.isHealing() || waitedMs > LEAVING_MS) return
      await sleep(stage.world.clock, LOOK_MS)
    }
    await work()
  } finally {
    letIn()
  }
}
