// What of a group is dropped because its time has come, its topic is gone, or somebody says so (REPLICATION 2.13.5).
// Enters: the group, the time, the topics there are. Leaves: tombstones.
import { MinikafkaError } from '@minikafka/protocol'
import type { Decision } from '../state-machine.ts'
import { Draft, type Moment } from './draft.ts'
import type { Group } from './group.ts'
import type { GroupRecord, Position } from './records.ts'
import { subscriptionsOf } from './subscriptions.ts'

/** Offsets past their retention, and a group with nothing left. */
export function expire(group: Group, moment: Moment): Decision<GroupRecord, undefined> {
  const { topics, settings, nowMs } = moment
  const subscribed = subscriptionsOf(group, topics).topics
  const isOver = (topicId: string, { commitTimestamp }: Position): boolean => {
    const topic = topics.byId(topicId)
    if (topic === undefined) return true
    if (subscribed.has(topic.name)) return false
    // A group without members has been so since its last epoch began.
    const sinceMs = group.isEmpty ? Math.max(commitTimestamp, group.epoch.atMs) : commitTimestamp
    return nowMs >= sinceMs + settings.offsetsRetentionMs
  }
  const { tombstones, isAll } = dropped(group, isOver)
  if (!group.isEmpty || !isAll) return { records: tombstones, response: undefined }
  return { records: [...tombstones, ...lastTombstones(group)], response: undefined }
}

/** A topic was created, deleted or has grown. */
export function topicsChanged(group: Group, moment: Moment): Decision<GroupRecord, undefined> {
  const isGone = (topicId: string): boolean => moment.topics.byId(topicId) === undefined
  const { tombstones } = dropped(group, isGone)
  const draft = new Draft(group, moment)
  if (!group.isEmpty) draft.noticeTopics()
  draft.assignIfDue()
  return { records: [...tombstones, ...draft.records], response: undefined }
}

/** Asked again until it is done: a large group goes in several steps. Errors: GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP. */
export function deleteGroup(group: Group): Decision<GroupRecord, { isDone: boolean }> {
  if (group.isNothing) throw new MinikafkaError('GROUP_ID_NOT_FOUND')
  if (!group.isEmpty)
    throw new MinikafkaError('NON_EMPTY_GROUP', {
      message: `group ${group.groupId} has members: stop them first`,
    })
  const { tombstones, isAll } = dropped(group, () => true)
  if (!isAll) return { records: tombstones, response: { isDone: false } }
  return { records: [...tombstones, ...lastTombstones(group)], response: { isDone: true } }
}

/** Of one decision, whose records are one batch: half of what that may have. What is left goes with the next one. */
const TOMBSTONES_BYTES_MAX = 4 * 1024 * 1024
/** Of a tombstone besides the group id: topic id, partition, framing. */
const TOMBSTONE_BYTES = 64

type IsOver = (topicId: string, position: Position) => boolean

function dropped(group: Group, isOver: IsOver): { tombstones: GroupRecord[]; isAll: boolean } {
  const { groupId } = group
  // No UTF-8 character is longer than three bytes per unit of UTF-16.
  const tombstonesMax = TOMBSTONES_BYTES_MAX / (TOMBSTONE_BYTES + 3 * groupId.length)
  const tombstones: GroupRecord[] = []
  let isAll = true
  for (const [topicId, positions] of group.positions) {
    for (const [partition, position] of positions) {
      if (isOver(topicId, position) && tombstones.length < tombstonesMax)
        tombstones.push({ type: 'Offset', groupId, topicId, partition, value: null })
      else isAll = false
    }
  }
  return { tombstones, isAll }
}

/** Of a group without members; one that never had any has none of these records. */
function lastTombstones({ groupId, epoch, targetEpoch }: Group): GroupRecord[] {
  const records: GroupRecord[] = []
  if (targetEpoch > 0) records.push({ type: 'Target', groupId, value: null })
  if (epoch.groupEpoch > 0) records.push({ type: 'Group', groupId, value: null })
  return records
}
