// minikafka check connection | topic | group: one question with a yes or no, for people and for monitoring.
import { codeOf, textOf } from '../../endings.ts'
import { EXIT, Failure, Interrupted } from '../../failures.ts'
import { reachBroker } from '../../reach.ts'
import type { Session } from '../../session.ts'
import { boundOf, isBehind } from '../group-bound.ts'
import { durationText } from '../group-words.ts'
import { dialAll } from './connections.ts'
import {
  type Finding,
  type Format,
  judge,
  printFindings,
  printNagios,
  printPrometheus,
  prometheusText,
} from './finding.ts'

type Options = { readonly format?: Format }
const NAGIOS_UNKNOWN = EXIT.notFound

export async function checkConnection(session: Session, { format }: Options): Promise<void> {
  await told(session, 'connection', format, async () =>
    dialAll(session, await session.ask(session.admin.cluster(session.wait))),
  )
}

export async function checkTopics(
  session: Session,
  names: readonly string[],
  { format }: Options,
): Promise<void> {
  await told(session, 'topic', format, async () => {
    const findings: Finding[] = []
    for (const name of names) findings.push(await found('topic', name, topicFinding(session, name)))
    return findings
  })
}

export async function checkGroups(
  session: Session,
  names: readonly string[],
  { format, max }: Options & { readonly max?: string },
): Promise<void> {
  const bound = boundOf(max)
  await told(session, 'group', format, async () => {
    const findings: Finding[] = []
    for (const name of names)
      findings.push(await found('group', name, groupFinding(session, name, bound)))
    return findings
  })
}

async function told(
  session: Session,
  name: string,
  format: Format,
  look: () => Promise<Finding[]>,
): Promise<void> {
  let findings: Finding[]
  try {
    await reachBroker(session)
    findings = await look()
  } catch (error) {
    if (format === undefined || error instanceof Interrupted) throw error
    const what = textOf(error)
    if (format === 'prometheus') {
      // Who collects it shall see that it is not well, not nothing.
      await session.print(
        prometheusText(name, [{ about: name, state: 'problem', what, todo: 'minikafka doctor' }]),
      )
      throw error
    }
    const words = what.replaceAll('|', '/')
    await session.print(`MINIKAFKA ${name.toUpperCase()} UNKNOWN - ${words}\n`)
    throw new Failure(words, NAGIOS_UNKNOWN, { cause: error })
  }
  if (format === 'nagios') return printNagios(session, name, findings)
  if (format === 'prometheus') return printPrometheus(session, name, findings)
  await printFindings(session, findings)
  judge(findings)
}

/** Of several names one that is not there is told, and the others are looked at all the same. */
async function found(
  about: 'topic' | 'group',
  name: string,
  looking: Promise<Finding>,
): Promise<Finding> {
  try {
    return await looking
  } catch (error) {
    if (codeOf(error) !== EXIT.notFound) throw error
    const todo = `which there are: minikafka ${about} list`
    const labels = { [about]: name }
    return { about, state: 'problem', isMissing: true, what: textOf(error), todo, labels }
  }
}

async function topicFinding(session: Session, name: string): Promise<Finding> {
  const { partitions, config } = await session.ask(session.admin.describeTopic(name, session.wait))
  const minIsr = Number(config.find((one) => one.name === 'min.insync.replicas')?.value ?? 1)
  const leaderless = partitions.filter(({ leaderId }) => leaderId < 0)
  const behind = partitions.filter(({ isr, replicas }) => isr.length < replicas.length)
  const tooFew = behind.filter(
    ({ isr, replicas }) => isr.length < Math.min(minIsr, replicas.length),
  )
  const figures = {
    partitions: partitions.length,
    partitions_without_leader: leaderless.length,
    partitions_under_replicated: behind.length,
  }
  const base = { about: 'topic', labels: { topic: name }, figures }
  const list = (some: typeof partitions) => some.map(({ partition }) => partition).join(', ')
  const todo = 'which brokers are away: cluster info; start them, or look at their logs'
  if (leaderless.length > 0) {
    const what = `${name}: no leader for partitions ${list(leaderless)}, they cannot be read or written`
    return { ...base, state: 'problem', what, todo }
  }
  if (tooFew.length > 0) {
    const what = `${name}: fewer than min.insync.replicas in sync in partitions ${list(tooFew)}, produce is refused`
    return { ...base, state: 'problem', what, todo }
  }
  if (behind.length > 0) {
    const what = `${name}: replicas out of sync in partitions ${list(behind)}`
    return { ...base, state: 'warning', what, todo }
  }
  const what = `${name}: all ${partitions.length} partitions have a leader, all replicas are in sync`
  return { ...base, state: 'ok', what }
}

async function groupFinding(
  session: Session,
  name: string,
  bound: ReturnType<typeof boundOf>,
): Promise<Finding> {
  const { admin, wait } = session
  const [group, lags] = await session.ask(
    Promise.all([admin.describeGroup(name, wait), admin.lag(name, wait)]),
  )
  const lag = lags.reduce((sum, one) => sum + one.lag, 0)
  const lagMs = Math.max(0, ...lags.map((one) => one.lagMs ?? 0))
  const members = group.members.length
  const figures = {
    group_members: members,
    group_lag_records: lag,
    group_lag_seconds: lagMs / 1000,
  }
  const base = { about: 'group', labels: { group: name }, figures }
  const behind =
    lag === 0
      ? 'everything is read'
      : `${lag} ${lag === 1 ? 'record' : 'records'} behind, ${durationText(lagMs)}`
  const what = `${name}: ${group.state}, ${members} ${members === 1 ? 'member' : 'members'}, ${behind}`
  const todo = `why: minikafka group explain ${name}`
  if (bound !== undefined && lags.some((one) => isBehind(one, bound)))
    return { ...base, state: 'problem', what, todo }
  if (members === 0 && lag > 0) {
    const unread = `${what}: nobody reads`
    return { ...base, state: 'problem', what: unread, todo: 'start its consumers' }
  }
  return { ...base, state: 'ok', what }
}
