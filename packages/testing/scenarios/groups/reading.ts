// The reading modes of a consumer as a member uses them; a batch of a partition that is taken away is left in the middle.
// Enters: who handles. Leaves: nothing, or what the consumer stops with.
import type { Handling } from './handling.ts'
import type { MemberPlan } from './member-plans.ts'

type Reading = (handling: Handling) => Promise<void>

const RECORDS_MAX = 10

/** Each resolves when the consumer is stopped. */
export const modes: Readonly<Record<MemberPlan['mode'], Reading>> = {
  async run(handling) {
    const { concurrency, order } = handling.plan
    const handler = (record: Parameters<Handling['handle']>[0], { attempt }: { attempt: number }) =>
      handling.handle(record, attempt)
    await handling.life.consumer.run(handler, { concurrency, order })
  },

  async loop(handling) {
    const { life, plan } = handling
    for await (const record of life.consumer) {
      await handling.handle(record)
      if (plan.acks) record.ack()
      if (plan.acks && plan.options.commit === 'manual')
        await life.commit(() => life.consumer.commit(record))
    }
  },

  async poll(handling) {
    const { life, plan } = handling
    while (!life.isEnding) {
      const records = await life.consumer.poll({ max: RECORDS_MAX, maxWaitMs: 500 })
      const holds = handling.holdersOf(records)
      for (const [index, record] of records.entries()) {
        // Of a partition that went meanwhile: others do it.
        if (!holds[index]?.()) continue
        await handling.handle(record)
        if (plan.acks) record.ack()
      }
    }
  },

  async batches(handling) {
    const { life, plan } = handling
    for await (const batch of life.consumer.batches({ maxRecords: RECORDS_MAX })) {
      for (const record of batch.records) {
        if (batch.signal.aborted) break
        await handling.handle(record)
        record.ack()
      }
      if (batch.signal.aborted) break
      if (plan.options.commit === 'manual') await life.commit(() => batch.commit())
    }
  },
}
