// minikafka group list | describe: which groups there are, who is in them and who has what.
import type { GroupDescription, GroupMember, PartitionLag, Partitions } from '@minikafka/client'
import { reachBroker } from '../reach.ts'
import type { Session } from '../session.ts'
import { eachOf } from '../several.ts'
import { type Column, printFacts, printRows } from '../table.ts'
import { agoText, durationText, lagColumns, timeText } from './group-words.ts'

export async function groupList(session: Session): Promise<void> {
  await reachBroker(session)
  const groups = await session.ask(session.admin.listGroups(session.wait))
  await printRows(
    session,
    groups,
    [
      { title: 'GROUP', of: ({ group }) => group, fit: 'cut' },
      { title: 'STATE', of: ({ state }) => state },
      { title: 'TYPE', of: ({ type }) => type, wide: true },
    ],
    (group) => group,
  )
}

export async function groupDescribe(session: Session, names: readonly string[]): Promise<void> {
  await reachBroker(session)
  const groups: Described[] = []
  const asking = eachOf(session, [...new Set(names)], async (name) => {
    const [description, lags] = await session.ask(
      Promise.all([
        session.admin.describeGroup(name, session.wait),
        session.admin.lag(name, session.wait),
      ]),
    )
    groups.push({ ...description, lags })
  })
  // What could be found is printed, whatever could not.
  const failure: unknown = await asking.catch((error: unknown) => error)
  await printGroups(session, groups)
  if (failure !== undefined) throw failure
}

type Described = GroupDescription & { readonly lags: readonly PartitionLag[] }

async function printGroups(session: Session, groups: readonly Described[]): Promise<void> {
  if (session.output === 'json') return session.print(`${JSON.stringify(groups, null, 2)}\n`)
  for (const [index, group] of groups.entries()) {
    if (session.output === 'jsonl') await session.print(`${JSON.stringify(group)}\n`)
    else {
      if (index > 0) await session.print('\n')
      await printGroup(session, group)
    }
  }
}

async function printGroup(session: Session, group: Described): Promise<void> {
  const { members, lags, rebalances } = group
  const facts = {
    group: group.group,
    state: group.state,
    epoch: group.groupEpoch,
    assignor: group.assignor,
    members: members.length,
    lag: lags.reduce((sum, { lag }) => sum + lag, 0),
  }
  await printFacts(session, facts, group)
  if (members.length > 0) {
    await session.print('\n')
    await printMembers(session, members)
  }
  if (lags.length > 0) {
    await session.print('\n')
    const owner: Column<PartitionLag> = {
      title: 'MEMBER',
      of: (at) => ownerOf(members, at),
      fit: 'cut',
    }
    await printRows(session, lags, [...lagColumns(), owner], (lag) => lag)
  }
  if (session.output !== 'wide' || rebalances.length === 0) return
  await session.print('\n')
  await printRows(
    session,
    rebalances,
    [
      { title: 'EPOCH', of: ({ groupEpoch }) => String(groupEpoch), right: true },
      { title: 'AT', of: ({ atMs }) => timeText(atMs) },
      { title: 'REASON', of: ({ reason }) => reason, fit: 'wrap' },
    ],
    (rebalance) => rebalance,
  )
}

function ownerOf(members: readonly GroupMember[], { topic, partition }: PartitionLag): string {
  const has = (held: Partitions) =>
    held.some((one) => one.topic === topic && one.partition === partition)
  const owner = members.find(({ assigned, revoking }) => has(assigned) || has(revoking))
  return owner?.memberId ?? '-'
}

export async function printMembers(
  session: Session,
  members: readonly GroupMember[],
): Promise<void> {
  await printRows(
    session,
    members,
    [
      { title: 'MEMBER', of: ({ memberId }) => memberId, fit: 'cut' },
      { title: 'CLIENT', of: ({ clientId }) => clientId, fit: 'cut' },
      { title: 'HOST', of: ({ clientHost }) => clientHost, fit: 'cut' },
      { title: 'STATE', of: ({ state }) => state },
      { title: 'PARTITIONS', of: ({ assigned }) => String(assigned.length), right: true },
      { title: 'HEARD OF', of: ({ lastHeartbeatMsAgo }) => agoText(lastHeartbeatMsAgo) },
      { title: 'INSTANCE', of: ({ instanceId }) => instanceId ?? '-', wide: true, fit: 'cut' },
      { title: 'EPOCH', of: ({ memberEpoch }) => String(memberEpoch), right: true, wide: true },
      {
        title: 'OUT IN',
        of: ({ sessionLeftMs }) =>
          sessionLeftMs === undefined ? '-' : durationText(sessionLeftMs),
        wide: true,
      },
    ],
    (member) => member,
  )
}
