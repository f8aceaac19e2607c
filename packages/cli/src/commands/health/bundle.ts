// minikafka debug bundle: what brokers tell of themselves, in one JSON file. No record is read, no secret is in it.
import { textOf } from '../../endings.ts'
import { Interrupted } from '../../failures.ts'
import { drawProgress } from '../../progress.ts'
import { reachBroker } from '../../reach.ts'
import { checkPlace, saveFile } from '../../save-file.ts'
import type { Session } from '../../session.ts'
import { VERSION } from '../../version.ts'
import { withoutSecret } from './secrets.ts'

/** So many are described; the bundle says where there are more. */
const TOPICS_MAX = 2_000
const GROUPS_MAX = 2_000
/** Asked for at once. */
const AT_ONCE = 20
const STDOUT = '-'

export async function debugBundle(session: Session, { to }: { to?: string }): Promise<void> {
  if (to !== undefined && to !== STDOUT) await checkPlace(session.env, to)
  await reachBroker(session)
  const questions = new Questions(session)
  const stopDrawing = drawProgress(session, {
    ...{ what: 'collected', unit: 'answers' },
    done: () => questions.settled,
  })
  const bundle = await collect(session, questions).finally(stopDrawing)
  const { errors } = questions
  const text = `${JSON.stringify({ ...bundle, errors }, null, 2)}\n`
  if (to === STDOUT) return session.print(text)
  const file = to ?? fileName(bundle.cluster.clusterId, session.env.clock.wallMs())
  await saveFile(session.env, file, text)
  await session.print(session.wantsJson ? `${JSON.stringify({ file })}\n` : `${file}\n`)
  const count = errors.length === 0 ? '' : `; not answered: ${errors.length}`
  await session.say(`look at it before you send it: names and addresses are in it${count}`)
}

/** Whoever answered chose the id of the cluster: it is a part of a name, and no path. Exported for its test. */
export function fileName(clusterId: string, nowMs: number): string {
  const time = new Date(nowMs).toISOString().replace(/[-:]|\.\d+/g, '')
  return `minikafka-debug-${clusterId.replace(/[^\w-]/g, '_')}-${time}.json`
}

/** What is not answered is told in the bundle, and keeps nothing else out of it. */
class Questions {
  readonly errors: string[] = []
  settled = 0
  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
  }

  async ask<T>(what: string, asking: Promise<T>): Promise<T | null> {
    try {
      return await this.#session.ask(asking)
    } catch (error) {
      if (error instanceof Interrupted) throw error
      this.errors.push(`${what}: ${textOf(error)}`)
      return null
    } finally {
      this.settled++
    }
  }
}

async function collect(session: Session, questions: Questions) {
  const { admin, wait, env } = session
  const cluster = await session.ask(admin.cluster(wait))
  const brokers = await Promise.all(
    cluster.brokers.map(({ nodeId }) => askBroker(session, questions, nodeId)),
  )
  const topics = (await questions.ask('topics', admin.listTopics({ internal: true }, wait))) ?? []
  const groups = (await questions.ask('groups', admin.listGroups(wait))) ?? []
  return {
    made: {
      at: new Date(env.clock.wallMs()).toISOString(),
      by: `minikafka ${VERSION}`,
      node: env.program.nodeVersion,
      platform: env.program.platform,
      ...{ topics: topics.length, groups: groups.length },
    },
    cluster,
    brokers,
    topics: await eachOf(topics.slice(0, TOPICS_MAX), ({ name }) =>
      questions.ask(`topic ${name}`, admin.describeTopic(name, wait)),
    ),
    groups: await eachOf(groups.slice(0, GROUPS_MAX), async ({ group }) => ({
      description: await questions.ask(`group ${group}`, admin.describeGroup(group, wait)),
      lag: await questions.ask(`lag of ${group}`, admin.lag(group, wait)),
    })),
  }
}

async function askBroker({ admin, wait }: Session, questions: Questions, nodeId: number) {
  const [process, config, logDirs] = await Promise.all([
    questions.ask(`broker ${nodeId}`, admin.describeBroker(nodeId, wait)),
    questions.ask(`settings of ${nodeId}`, admin.brokerConfig(nodeId, wait)),
    questions.ask(`directories of ${nodeId}`, admin.logDirs(nodeId, wait)),
  ])
  return { nodeId, process, config: config?.map(withoutSecret) ?? null, logDirs }
}

async function eachOf<T, R>(things: readonly T[], ask: (thing: T) => Promise<R>): Promise<R[]> {
  const answers: R[] = []
  for (let at = 0; at < things.length; at += AT_ONCE)
    answers.push(...(await Promise.all(things.slice(at, at + AT_ONCE).map(ask))))
  return answers
}
