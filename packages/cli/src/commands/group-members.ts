// minikafka group members | delete: who is in a group, and ending that.
import { confirm } from '../confirm.ts'
import { reachBroker } from '../reach.ts'
import type { Session } from '../session.ts'
import { eachOf } from '../several.ts'
import { printMembers } from './group-views.ts'

export async function groupMembers(
  session: Session,
  group: string,
  { remove = [] }: { remove?: string[] },
): Promise<void> {
  await reachBroker(session)
  if (remove.length === 0) {
    const { members } = await session.ask(session.admin.describeGroup(group, session.wait))
    return printMembers(session, members)
  }
  await eachOf(session, [...new Set(remove)], async (memberId) => {
    await session.admin.removeMember(group, memberId, session.wait)
    await session.say(`removed ${memberId} from group '${group}'`)
  })
}

export async function groupDelete(
  session: Session,
  names: readonly string[],
  { dryRun = false }: { dryRun?: boolean },
): Promise<void> {
  const doomed = [...new Set(names)]
  await reachBroker(session)
  // Nothing is deleted where something is mistyped.
  await eachOf(session, doomed, async (name) => {
    await session.ask(session.admin.describeGroup(name, session.wait))
  })
  const words = `${doomed.map((name) => `group '${name}'`).join(', ')} and where ${doomed.length === 1 ? 'it' : 'they'} stood`
  if (dryRun) return session.print(`would delete ${words}\n`)
  await confirm(session, `Delete ${words}?`)
  await eachOf(session, doomed, async (name) => {
    await session.admin.deleteGroup(name, session.wait)
    await session.say(`deleted group '${name}'`)
  })
}
