// The topic of a bench: one that is named, or one that is made and removed again.
import type { Session } from '../../session.ts'
import type { BenchPlan } from './plan.ts'

export type BenchTopic = {
  readonly name: string
  readonly partitions: number
  /** Made for this run. */
  readonly isOwn: boolean
}

export async function withTopic(
  session: Session,
  plan: BenchPlan,
  work: (topic: BenchTopic) => Promise<void>,
): Promise<void> {
  const { admin, wait } = session
  if (plan.topic !== undefined) {
    const { name, partitions } = await session.ask(admin.describeTopic(plan.topic, wait))
    return work({ name, partitions: partitions.length, isOwn: false })
  }
  const name = `bench-${session.env.random.uuid().slice(0, 8)}`
  try {
    await admin.createTopic(name, { partitions: plan.partitions }, wait)
    await work({ name, partitions: plan.partitions, isOwn: true })
  } finally {
    // Whatever happened: nothing is left behind.
    await admin
      .deleteTopic(name, { ifExists: true }, wait)
      .catch((error: unknown) => session.say(`topic ${name} is left behind: ${String(error)}`))
  }
}
