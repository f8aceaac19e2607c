import type { Clock } from '@minikafka/platform'
import { expect, test } from 'vitest'
import { MemoryQueue } from './memory-queue.ts'

/** A budget that a test fills and empties, and a clock whose turns it makes. */
function heldWorld() {
  const due: (() => void)[] = []
  const listeners = new Set<() => void>()
  const account = {
    full: false,
    charge() {},
    release() {},
    onRoom(listener: () => void) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
  const clock = { soon: (callback: () => void) => due.push(callback) } as unknown as Clock
  const ranOut: number[] = []
  const queue = new MemoryQueue(clock, account, () => ranOut.push(1))
  return {
    queue,
    ranOut,
    listeners,
    fill: () => {
      account.full = true
    },
    makeRoom: () => {
      account.full = false
      for (const listener of [...listeners]) listener()
    },
    turn: () => {
      for (const callback of due.splice(0)) callback()
    },
  }
}

/** Readers that ask each time they are told, and write down what they heard. */
function readersOf(queue: MemoryQueue, count: number) {
  const may: boolean[] = []
  const readers = Array.from({ length: count }, (_, index) => () => {
    may[index] = !queue.mustWait(readers[index] as () => void)
  })
  for (const reader of readers) reader()
  return { readers, mayCount: () => may.filter((it) => it).length, may }
}

test('when the budget is used up one question stops all', () => {
  const { queue, fill, ranOut, turn } = heldWorld()
  const { readers, mayCount } = readersOf(queue, 100)
  expect(mayCount()).toBe(100)
  fill()
  readers[7]?.()
  expect(mayCount()).toBe(0)
  expect(ranOut).toEqual([])
  turn()
  expect(ranOut).toEqual([1])
})

test('when there is room they go on a few a turn, first come first served', () => {
  const { queue, fill, makeRoom, turn } = heldWorld()
  const { readers, mayCount, may } = readersOf(queue, 100)
  fill()
  readers[7]?.()
  makeRoom()
  expect(mayCount()).toBe(16)
  expect(may[7]).toBe(true)
  turn()
  expect(mayCount()).toBe(32)
  for (let turns = 0; turns < 10; turns++) turn()
  expect(mayCount()).toBe(100)
})

test('when the budget is used up again meanwhile the others go on waiting', () => {
  const { queue, fill, makeRoom, turn } = heldWorld()
  const { readers, mayCount } = readersOf(queue, 100)
  fill()
  readers[0]?.()
  makeRoom()
  fill()
  turn()
  expect(mayCount()).toBe(16)
  readers[0]?.()
  expect(mayCount()).toBe(0)
})

test('one that gives memory back when it is stopped lets the first go on', () => {
  const { queue, fill, makeRoom } = heldWorld()
  const heard: boolean[] = []
  const generous = () => {
    if (queue.mustWait(generous)) makeRoom()
  }
  const asking = () => {
    heard.push(!queue.mustWait(asking))
  }
  generous()
  asking()
  fill()
  asking()
  expect(heard.at(-1)).toBe(true)
  expect(queue.isWaiting(asking)).toBe(false)
})

test('one that is gone is told nothing, and a closed queue nobody', () => {
  const { queue, fill, makeRoom, listeners } = heldWorld()
  const { readers, may } = readersOf(queue, 2)
  fill()
  readers[0]?.()
  queue.forget(readers[1] as () => void)
  makeRoom()
  expect(may).toEqual([true, false])
  queue.close()
  expect(listeners.size).toBe(0)
})
