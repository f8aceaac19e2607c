import type { Producer, RecordMetadata } from '@minikafka/client'
import { expect, test } from 'vitest'
import type { ReadRecord } from '../grammar/record-reader.ts'
import type { Session } from '../session.ts'
import { openSender } from './produce-senders.ts'

test('-v: receipts come in order and are all waited for, also where a later record fails first', async () => {
  const printed: string[] = []
  const sending: { resolve(sent: RecordMetadata): void; reject(error: Error): void }[] = []
  const session = {
    verbose: 1,
    wantsJson: false,
    print: async (text: string) => {
      printed.push(text)
    },
  } as unknown as Session
  const send = () =>
    new Promise<RecordMetadata>((resolve, reject) => sending.push({ resolve, reject }))
  const sender = openSender(session, { send } as unknown as Producer, 'orders')
  const record = { key: null, value: Buffer.from('a'), headers: [] } as unknown as ReadRecord
  for (let index = 0; index < 4; index++) expect(sender.put(record)).toBeUndefined()
  const receipt = (offset: number) => ({ topic: 'orders', partition: 0, offset, timestamp: 1 })
  sending[3]?.resolve(receipt(2))
  sending[2]?.reject(new Error('refused'))
  let finished = false
  const finishing = sender.finish().then(() => {
    finished = true
  })
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
  expect(printed).toEqual([])
  expect(finished).toBe(false)
  sending[0]?.resolve(receipt(0))
  sending[1]?.resolve(receipt(1))
  await finishing
  expect(printed).toEqual(['orders[0]@0\n', 'orders[0]@1\n', 'orders[0]@2\n'])
  expect(sender.failed.reason).toMatchObject({ message: 'refused' })
  expect(sender.acknowledged()).toBe(3)
})
