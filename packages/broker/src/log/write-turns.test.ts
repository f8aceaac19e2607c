import type { Clock } from '@minikafka/platform'
import { expect, test } from 'vitest'
import { WriteTurns } from './write-turns.ts'

const MIB = 1024 * 1024

/** Turns that the test makes, and who was let go in which order. */
function heldTurns() {
  const due: (() => void)[] = []
  const clock = { soon: (callback: () => void) => due.push(callback) } as unknown as Clock
  const turns = new WriteTurns(clock)
  const begun: string[] = []
  return {
    begun,
    dueCount: () => due.length,
    ask(name: string, bytes: number): void {
      const wait = turns.take(bytes)
      if (wait === undefined) begun.push(name)
      else void wait.then(() => begun.push(name))
    },
    async turn(): Promise<void> {
      for (const callback of due.splice(0)) callback()
      await undefined
    },
  }
}

test('one large write a turn, first come first served; small ones do not wait behind them', async () => {
  const { ask, begun, turn } = heldTurns()
  for (const name of ['a', 'b', 'c']) ask(name, MIB)
  ask('small', 200)
  expect(begun).toEqual(['a', 'small'])
  await turn()
  ask('d', MIB)
  expect(begun).toEqual(['a', 'small', 'b'])
  await turn()
  await turn()
  await turn()
  expect(begun).toEqual(['a', 'small', 'b', 'c', 'd'])
})

test('what fits into a turn together is written together', async () => {
  const { ask, begun, turn } = heldTurns()
  for (let n = 0; n < 6; n++) ask(`quarter ${n}`, MIB / 4)
  expect(begun).toHaveLength(4)
  await turn()
  expect(begun).toHaveLength(6)
})

test('nothing is due while nobody writes', async () => {
  const { ask, dueCount, turn } = heldTurns()
  ask('a', MIB)
  expect(dueCount()).toBe(1)
  await turn()
  expect(dueCount()).toBe(0)
})
