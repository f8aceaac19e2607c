// Produce with acks 0: nothing is answered, and a connection that closes is the only sign of trouble.
import { expect, test } from 'vitest'
import { runBroker } from './running-broker.ts'

/** Further ahead than a broker's clock allows. */
const FAR_FUTURE = Date.UTC(2100, 0, 1)

test('what is refused is not answered: the connection ends, and the next one serves', async () => {
  await using broker = await runBroker()
  const client = broker.client()
  await client.admin().createTopic('orders')
  const producer = client.producer({ acks: 'none' })
  await producer.send('orders', { value: 'a' })
  const ended = new Promise((resolve) => client.on('disconnect', resolve))
  await producer.send('orders', { value: 'b', timestamp: FAR_FUTURE })
  expect(await ended).toEqual({ broker: `127.0.0.1:${broker.port}` })
  await producer.send('orders', { value: 'c' })
  await client.producer().send('orders', { value: 'd' })
  const consumer = client.consumer({ topics: ['orders'], start: 'earliest' })
  const values: string[] = []
  for await (const { value } of consumer) {
    values.push(String(value))
    if (values.length === 3) break
  }
  await consumer.close()
  expect(values.sort()).toEqual(['a', 'c', 'd'])
})
