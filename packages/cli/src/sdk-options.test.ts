import { expect, test } from 'vitest'
import { sdkOptions } from './sdk-options.ts'

test('options go to the part that knows them, numbers and truths as such', () =>
  expect(
    sdkOptions(
      ['requestTimeoutMs=5000', 'retry.factor=1.5', 'compression=lz4', 'idempotent=false'],
      'producer',
    ),
  ).toEqual({
    client: { requestTimeoutMs: 5000, retry: { factor: 1.5 } },
    part: { compression: 'lz4', idempotent: false },
  }))

test.each([
  ['lingerMs=1', undefined, /an option of a producer, which is not used here/],
  ['isolation=x', 'producer', /an option of a consumer/],
  ['lingerMS=1', 'producer', /did you mean lingerMs\?/],
  ['color=red', undefined, /known are brokers, clientId/],
  ['lingerMs', 'producer', /expected name=value/],
  ['=1', 'producer', /expected name=value/],
] as const)('-X %s is refused', (pair, part, message) =>
  expect(() => sdkOptions([pair], part)).toThrow(message),
)
