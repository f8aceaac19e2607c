import { MinikafkaError } from '@minikafka/protocol'
import { expect, test } from 'vitest'
import { Cohort } from './cohort.ts'

async function isDone(cohort: Cohort): Promise<boolean> {
  let done = false
  void cohort.done.then(() => {
    done = true
  })
  for (let turn = 0; turn < 10; turn++) await Promise.resolve()
  return done
}

test('a cohort is done when it is closed and all in it are settled', async () => {
  const cohort = new Cohort()
  cohort.begin()
  cohort.begin()
  cohort.settle()
  cohort.close()
  expect(await isDone(cohort)).toBe(false)
  cohort.settle()
  expect(await isDone(cohort)).toBe(true)
})

test('an empty one is done at once, but not before those that came earlier', async () => {
  const first = new Cohort()
  first.begin()
  const second = new Cohort(first)
  first.close()
  second.close()
  expect(await isDone(second)).toBe(false)
  first.settle()
  expect(await isDone(second)).toBe(true)
})

test('what comes later does not hold it up', async () => {
  const first = new Cohort()
  const second = new Cohort(first)
  second.begin()
  first.close()
  expect(await isDone(first)).toBe(true)
})

test('a failure is reported by its own flush, and by the next one only where that gave up', async () => {
  const failure = new MinikafkaError('MESSAGE_TOO_LARGE')
  for (const abandoned of [false, true]) {
    const first = new Cohort()
    first.begin()
    first.failure = failure
    first.abandoned = abandoned
    const second = new Cohort(first)
    first.close()
    second.close()
    first.settle()
    await second.done
    expect(second.failure).toBe(abandoned ? failure : undefined)
  }
})
