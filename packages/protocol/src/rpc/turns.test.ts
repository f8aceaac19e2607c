import type { Clock } from '@minikafka/platform'
import { expect, test } from 'vitest'
import { Turns } from './turns.ts'

/** Turns of a loop that the test makes, and a clock that it moves. */
function heldTurns() {
  const due: (() => void)[] = []
  let nowMs = 0
  const clock = {
    soon: (callback: () => void) => due.push(callback),
    monotonicMs: () => nowMs,
  } as unknown as Clock
  const turns = new Turns(clock)
  const served: string[] = []
  return {
    turns,
    served,
    dueCount: () => due.length,
    /** Has `slices` at hand, each of which takes `ms`. */
    enter(name: string, slices: number, ms = 0): void {
      let left = slices
      const serve = () => {
        served.push(name)
        nowMs += ms
        if (--left > 0) turns.enter(serve)
      }
      turns.enter(serve)
    },
    turn: () => {
      for (const callback of due.splice(0)) callback()
    },
  }
}

test('each has one slice in a turn, round and round', () => {
  const { enter, served, turn } = heldTurns()
  enter('a', 3)
  enter('b', 1)
  enter('c', 2)
  turn()
  expect(served).toEqual(['a', 'b', 'c'])
  turn()
  turn()
  expect(served).toEqual(['a', 'b', 'c', 'a', 'c', 'a'])
})

test('slices that take long end the turn, and the next one goes on where it ended', () => {
  const { enter, served, turn } = heldTurns()
  for (const name of ['a', 'b', 'c']) enter(name, 2, 1)
  turn()
  expect(served).toEqual(['a', 'b'])
  turn()
  expect(served).toEqual(['a', 'b', 'c', 'a'])
})

test('who left is not served, and nothing is due when nobody waits', () => {
  const { turns, dueCount, turn } = heldTurns()
  let served = 0
  const serve = () => served++
  turns.enter(serve)
  expect(turns.has(serve)).toBe(true)
  turns.leave(serve)
  turn()
  expect([served, dueCount()]).toEqual([0, 0])
})
