import { isMinikafkaError } from '@minikafka/protocol'
import { expect, test } from 'vitest'
import { resolveConfig } from './layers.ts'
import { checkTopicSetting, resolveTopic } from './topic-config.ts'

const { values } = resolveConfig({})

test("a topic's own value goes before the broker's", () => {
  const topic = resolveTopic(
    values,
    new Map([
      ['retention.ms', '1h'],
      ['flush', 'os'],
    ]),
  )
  expect([topic['retention.ms'], topic.flush, topic['segment.bytes']]).toEqual([
    3_600_000,
    'os',
    1024 ** 3,
  ])
})

test.each([
  ['retention.mss', '1', /did you mean retention.ms\?/],
  ['retention.ms', 'abc', /expected a time/],
  ['retention.ms', '-5', /expected a time/],
  ['cleanup.policy', 'compact', /expected one of delete/],
  ['__proto__', '1', /is not a setting of topics/],
])('%s=%s is INVALID_CONFIG with the key', (name, text, message) => {
  try {
    checkTopicSetting(name, text)
    expect.unreachable()
  } catch (error) {
    if (!isMinikafkaError(error)) throw error
    expect(error.name).toBe('INVALID_CONFIG')
    expect(error.details).toEqual({ key: name })
    expect(error.message).toMatch(message)
  }
})
