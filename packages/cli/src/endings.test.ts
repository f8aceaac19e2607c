import { MinikafkaError } from '@minikafka/client'
import { expect, test } from 'vitest'
import { endingOf } from './endings.ts'
import { BadInput, EXIT, Failure, SeveralFailures } from './failures.ts'
import { UsageError } from './usage-error.ts'

test.each([
  [new UsageError('no'), 2],
  [new Failure('no'), 1],
  [new Failure('no', EXIT.notFound), 3],
  [new BadInput('no'), 1],
  [new MinikafkaError('UNKNOWN_TOPIC_OR_PARTITION', { message: 'no' }), 3],
  [new MinikafkaError('TIMED_OUT', { message: 'no' }), 4],
  [new MinikafkaError('INVALID_OPTION', { message: 'no' }), 2],
  [new MinikafkaError('STORAGE_FULL', { message: 'no' }), 1],
])('%s ends with %i and its sentence', (error, code) =>
  expect(endingOf(error)).toEqual({ code, lines: ['no'] }),
)

test('a reader that has enough is no error', () => {
  const error = Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })
  expect(endingOf(error)).toEqual({ code: 0, lines: [] })
})

test('time that ran out says what went wrong meanwhile', () => {
  const cause = new MinikafkaError('BROKER_UNREACHABLE', { message: 'nobody there' })
  const error = new MinikafkaError('TIMED_OUT', { message: 'took long' }, { cause })
  expect(endingOf(error)).toEqual({ code: 4, lines: ['took long: nobody there'] })
})

test('of several failures each has its line, the first the code', () =>
  expect(
    endingOf(new SeveralFailures([new Failure('a', EXIT.notFound), new UsageError('b')])),
  ).toEqual({ code: 3, lines: ['a', 'b'] }))

test('what nobody expected comes with its stack', () =>
  expect(endingOf(new TypeError('x is undefined')).lines[0]).toMatch(
    /^unexpected: TypeError: x is undefined\n\s+at /,
  ))
