// minikafka doctor. Enters: what brokers tell of themselves. Leaves: findings, each with what to do about it.
import type { BrokerProcess, LogDirDescription } from '@minikafka/client'
import { textOf } from '../../endings.ts'
import { Interrupted } from '../../failures.ts'
import { reachBroker } from '../../reach.ts'
import type { Session } from '../../session.ts'
import { dialAll } from './connections.ts'
import { diskFinding, filesFinding, flushFindings, settingOf } from './doctor-broker.ts'
import { clockFinding, nodeFinding, versionFinding } from './doctor-process.ts'
import { type Finding, judge, printFindings } from './finding.ts'

export async function doctor(session: Session): Promise<void> {
  const findings = await examine(session)
  await printFindings(session, findings)
  judge(findings)
}

async function examine(session: Session): Promise<Finding[]> {
  try {
    await reachBroker(session)
  } catch (error) {
    if (error instanceof Interrupted) throw error
    return [unreachable(session, error)]
  }
  const cluster = await session.ask(session.admin.cluster(session.wait))
  const findings = await dialAll(session, cluster)
  const answering = cluster.brokers.filter((_, at) => findings[at]?.state !== 'problem')
  for (const { nodeId } of answering) findings.push(...(await examineBroker(session, nodeId)))
  findings.push(nodeFinding('this program', session.env.program.nodeVersion))
  return findings
}

function unreachable({ brokers }: Session, error: unknown): Finding {
  return {
    about: 'address',
    state: 'problem',
    what: textOf(error),
    todo: `start one (minikafka-broker), or name another address than ${brokers} with -b or MINIKAFKA_BROKERS; a broker listens on 127.0.0.1 only until its setting listeners says otherwise`,
  }
}

async function examineBroker(session: Session, nodeId: number): Promise<Finding[]> {
  const { admin, wait } = session
  try {
    // Connected by now, so that the clock is read within one round trip.
    await session.ask(admin.describeBroker(nodeId, wait))
    const { process: program, sentMs, answeredMs } = await readClock(session, nodeId)
    const [dirs, config] = await session.ask(
      Promise.all([admin.logDirs(nodeId, wait), admin.brokerConfig(nodeId, wait)]),
    )
    return [
      clockFinding(program, sentMs, answeredMs),
      ...dirs.map((dir: LogDirDescription) => diskFinding(dir, settingOf(config))),
      filesFinding(program, settingOf(config)),
      ...(await flushFindings(session, nodeId, settingOf(config))),
      versionFinding(program),
      nodeFinding(`broker ${nodeId}`, program.nodeVersion),
    ]
  } catch (error) {
    if (error instanceof Interrupted) throw error
    return [
      {
        ...{ about: 'broker', state: 'problem' },
        what: `broker ${nodeId} does not tell how it is: ${textOf(error)}`,
        todo: 'look at its log; an old version may not know what it is asked',
      },
    ]
  }
}

async function readClock({ env, admin, wait }: Session, nodeId: number) {
  const sentMs = env.clock.wallMs()
  const process: BrokerProcess = await admin.describeBroker(nodeId, wait)
  return { process, sentMs, answeredMs: env.clock.wallMs() }
}
