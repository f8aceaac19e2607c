// minikafka topic add-partitions: more partitions, and a word about keys.
import { Failure } from '../failures.ts'
import { positive } from '../grammar/number.ts'
import { reachBroker } from '../reach.ts'
import type { Session } from '../session.ts'
import { eachOf } from '../several.ts'

export type GrowthOptions = { partitions: string; dryRun?: boolean }

const KEYS_MOVE =
  'most keys now belong to another partition: new records of a key may overtake its old ones'

export async function topicAddPartitions(
  session: Session,
  names: readonly string[],
  { partitions: wanted, dryRun = false }: GrowthOptions,
): Promise<void> {
  const count = positive('-p', wanted.replace(/^\+/, ''))
  await reachBroker(session)
  await eachOf(session, [...new Set(names)], async (name) => {
    const topic = await session.ask(session.admin.describeTopic(name, session.wait))
    const now = topic.partitions.length
    const total = wanted.startsWith('+') ? now + count : count
    if (total <= now)
      throw new Failure(`${name} has ${now} partitions: that is not less than ${total}`)
    await session.admin.addPartitions(name, total, { validateOnly: dryRun }, session.wait)
    if (dryRun)
      await session.print(
        `would give ${name} ${total} partitions instead of ${now}; ${KEYS_MOVE}\n`,
      )
    else await session.say(`${name} has ${total} partitions, was ${now}; ${KEYS_MOVE}`)
  })
}
