// What a member says of itself, and what of it changes with a heartbeat.
// Enters: what was known, a heartbeat. Leaves: what is known then; the same object where nothing changes.
import type { RequestOfKind } from './contract.ts'
import type { Subscriber } from './records.ts'

type HeartbeatRequest = RequestOfKind<'heartbeat'>

/** A join says everything: what it leaves out, the member has not. In other heartbeats it is unchanged. */
export function subscriberOf(
  before: Subscriber | undefined,
  { body, clientId, clientHost }: HeartbeatRequest,
): Subscriber {
  const said = { clientId, clientHost }
  if (body.memberEpoch === 0 || before === undefined) {
    const { instanceId, rackId, serverAssignor: assignor, rebalanceTimeoutMs } = body
    const topics = sortedOnce(body.subscribedTopicNames ?? [])
    const regex = body.subscribedTopicRegex ?? ''
    const joined = { instanceId, rackId, ...said, topics, regex, assignor, rebalanceTimeoutMs }
    return before !== undefined && isSame(before, joined) ? before : joined
  }
  if (saysNothing(body) && before.clientId === clientId && before.clientHost === clientHost)
    return before
  const after = {
    instanceId: before.instanceId,
    rackId: body.rackId ?? before.rackId,
    ...said,
    topics: body.subscribedTopicNames ? sortedOnce(body.subscribedTopicNames) : before.topics,
    regex: body.subscribedTopicRegex ?? before.regex,
    assignor: body.serverAssignor ?? before.assignor,
    rebalanceTimeoutMs:
      body.rebalanceTimeoutMs === -1 ? before.rebalanceTimeoutMs : body.rebalanceTimeoutMs,
  }
  return isSame(before, after) ? before : after
}

export function hasSameTopics(a: Subscriber, b: Subscriber): boolean {
  return a === b || (a.regex === b.regex && haveSameItems(a.topics, b.topics))
}

function saysNothing(body: HeartbeatRequest['body']): boolean {
  return (
    body.rackId === null &&
    body.rebalanceTimeoutMs === -1 &&
    body.subscribedTopicNames === null &&
    body.subscribedTopicRegex === null &&
    body.serverAssignor === null
  )
}

function isSame(a: Subscriber, b: Subscriber): boolean {
  return (
    a.instanceId === b.instanceId &&
    a.rackId === b.rackId &&
    a.clientId === b.clientId &&
    a.clientHost === b.clientHost &&
    a.assignor === b.assignor &&
    a.rebalanceTimeoutMs === b.rebalanceTimeoutMs &&
    hasSameTopics(a, b)
  )
}

function haveSameItems(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index])
}

function sortedOnce(names: readonly string[]): string[] {
  return [...new Set(names)].sort()
}
