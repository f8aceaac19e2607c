// What the other examples are measured against (`npm run bench -- --testing`).
import { TestBroker } from '@minikafka/testing'
import { expect, test } from 'vitest'

test('the kit is there', () => {
  expect(TestBroker).toBeDefined()
})

test('an empty test', async () => {
  await Promise.resolve()
})
