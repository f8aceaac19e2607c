import { afterEach, expect, test } from 'vitest'
import { chooseSeed, repeatLine } from './seed.ts'
import { TestBroker } from './test-broker.ts'

const before = process.env.MINIKAFKA_SEED
afterEach(() => {
  if (before === undefined) delete process.env.MINIKAFKA_SEED
  else process.env.MINIKAFKA_SEED = before
})

test('a seed is taken from the environment, or else drawn', async () => {
  process.env.MINIKAFKA_SEED = '77'
  await using broker = await TestBroker.start()
  expect(broker.seed).toBe(77)
  delete process.env.MINIKAFKA_SEED
  expect(new Set([chooseSeed(), chooseSeed(), chooseSeed()]).size).toBeGreaterThan(1)
})

test('a seed that is no whole number is refused', () => {
  process.env.MINIKAFKA_SEED = 'luck'
  expect(() => chooseSeed()).toThrow(`MINIKAFKA_SEED: 'luck' is no whole number`)
})

test('the test runner is asked to call when the test fails', async () => {
  const reports: (() => Promise<void>)[] = []
  await using _broker = await TestBroker.start({ onTestFailed: (report) => reports.push(report) })
  expect(reports).toHaveLength(1)
})

test('the line that repeats a run names its seed and its test', () => {
  expect(repeatLine(42)).toBe('MINIKAFKA_SEED=42')
  expect(repeatLine(42, { task: { name: `it's (so)` } })).toBe(
    `MINIKAFKA_SEED=42 npx vitest run -t 'it'\\''s \\(so\\)'`,
  )
})

test('Vitest’s context fits', async (context) => {
  await using broker = await TestBroker.start({ onTestFailed: context.onTestFailed })
  expect(broker.running).toBe(true)
})
