// One broker and groups that read from it, everything drawn from a seed: members join, leave, stand still and crash, the
// broker is killed, topics come and grow. Enters: a seed. Leaves: whether all promises of groups were kept.
import type { PartitionFacts } from 'minikafka-broker'
import { Daemon } from '../stage/daemon.ts'
import { Dice } from '../stage/dice.ts'
import { openClient } from '../stage/open-client.ts'
import type { Outcome, RunOptions } from '../stage/outcome.ts'
import type { Scenario, Work } from '../stage/play.ts'
import { type Ground, runSeed } from '../stage/run-seed.ts'
import { Violation } from '../stage/violation.ts'
import { Watcher } from '../stage/watching.ts'
import { judge } from './judging.ts'
import { Ledger } from './ledger.ts'
import { Member } from './member.ts'
import { move } from './moves.ts'
import { Observer } from './observer.ts'
import { drawPlan, type Plan } from './plan.ts'
import { produce } from './producing.ts'
import { missing, settle } from './settling.ts'
import type { Stage } from './stage.ts'

/** A session of who died, and what was left lying. */
const LIVENESS_MS = 90_000
const MAKING_MS = 30_000

export async function runGroups(seed: number, options: RunOptions = {}): Promise<Outcome> {
  const plan = drawPlan(seed, options.less)
  return await runSeed(plan, options, (ground) => scenarioOf(ground, plan))
}

function scenarioOf(ground: Ground, plan: Plan): Scenario {
  const { phases } = ground
  const watcher = new Watcher(() => true)
  const court = new Court()
  const end = new End()
  const stage = stageOf(ground, plan, { watcher, court, end })
  let facts: readonly PartitionFacts[] = []
  return {
    ...{ stage, watcher, phases, plan },
    livenessMs: LIVENESS_MS,
    broken: court.broken,
    missing: () => missing(stage),
    prepare: () => createTopics(stage),
    begin: () => worksOf(stage, end),
    looks: [
      {
        name: 'the last look',
        work: async () => {
          facts = stage.daemon.broker?.partitions() ?? []
        },
      },
    ],
    lookBehind: async () => judge(stage, facts),
    heal: () => {
      for (const member of stage.members) member.thaw()
    },
    nodes: ['judge', ...stage.clients],
  }
}

/** Where oracles accuse that nobody waits for. */
class Court {
  #reject: (violation: Violation) => void = () => {}
  readonly broken = new Promise<never>((_, reject) => {
    this.#reject = reject
  })

  constructor() {
    // Whoever plays hears of it; a run that is over does not.
    this.broken.catch(() => undefined)
  }

  readonly accuse = (violation: Violation): void => this.#reject(violation)

  readonly guard = <T>(oracle: () => T): T => {
    try {
      return oracle()
    } catch (error) {
      if (error instanceof Violation) this.accuse(error)
      throw error
    }
  }
}

/** All that was sent is worked on and committed: the members go home. */
class End {
  #isFinished = false
  #finish: () => void = () => {}
  readonly finished = new Promise<void>((resolve) => {
    this.#finish = resolve
  })
  readonly isFinished = (): boolean => this.#isFinished

  finish(): void {
    this.#isFinished = true
    this.#finish()
  }
}

type Parts = { readonly watcher: Watcher; readonly court: Court; readonly end: End }

function stageOf(
  { world, timeline, phases }: Ground,
  plan: Plan,
  { watcher, court, end }: Parts,
): Stage {
  const ledger = new Ledger(() => world.clock.monotonicMs())
  const onAck = new Set<() => void>()
  const names = new Map<string, string>()
  const observer = new Observer({
    ledger,
    topicOf: (topicId) => {
      if (!names.has(topicId))
        for (const one of daemon.broker?.partitions() ?? []) names.set(one.topicId, one.topic)
      return names.get(topicId)
    },
    accuse: court.accuse,
    told: () => {
      for (const listener of [...onAck]) listener()
    },
    count: (name, by) => timeline.count(name, by),
  })
  const daemon = new Daemon(world, plan.settings, {
    dice: new Dice(plan.seed, 'daemon'),
    restartMaxMs: plan.restartMaxMs,
    timeline,
    events: { ready: (broker) => watcher.look(broker.partitions()), dies() {} },
    through: observer.through,
  })
  const members = plan.groups.flatMap((group) =>
    group.members.map((one) => new Member(() => stage, group, one, plan.seed)),
  )
  const clients = [
    ...plan.producers.map(({ name }) => name),
    ...members.map((one) => one.plan.name),
  ]
  const stage: Stage = {
    ...{ world, plan, ledger, observer, timeline, daemon, members, clients, onAck },
    writers: clients,
    onAdmin: new Set(),
    topics: [],
    isHealing: phases.isHealing,
    healed: phases.healed,
    calm: { fromMs: 0 },
    finished: end.finished,
    isFinished: end.isFinished,
    accuse: court.accuse,
    guard: court.guard,
  }
  return stage
}

async function createTopics(stage: Stage): Promise<void> {
  await using client = openClient(stage, 'admin', 3000)
  for (const { name, partitions } of stage.plan.topics) {
    await client.admin().createTopic(name, { partitions }, { timeoutMs: MAKING_MS })
    stage.topics.push(name)
  }
}

function worksOf(stage: Stage, end: End): Work[] {
  const { plan, members } = stage
  const producing = plan.producers.map((one) => ({ name: one.name, work: produce(stage, one) }))
  const moving = plan.moves.map((one) => ({ name: one.kind, work: move(stage, one) }))
  const still = Promise.all([...producing, ...moving].map(({ work }) => work))
  const settling = settle(stage, still).then(() => end.finish())
  return [
    ...producing,
    ...members.map((member) => ({ name: member.plan.name, work: member.live() })),
    ...moving,
    { name: 'settling', work: settling },
  ]
}
