import type { Clock } from '@minikafka/platform'
import { expect, test } from 'vitest'
import { MemoryQueue, type Reader } from './memory-queue.ts'

/** A budget that a test fills and empties, and a clock whose turns it makes. */
function heldWorld() {
  const due: (() => void)[] = []
  const listeners = new Set<() => void>()
  const account = {
    full: false,
    free: 0,
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

class TestReader implements Reader {
  isGreedy = false
  isStarved = false
  may = false
  told = 0
  readonly #queue: MemoryQueue

  constructor(queue: MemoryQueue) {
    this.#queue = queue
  }

  /** Asks each time that it is told, and writes down what it heard. */
  adjustReading(): void {
    this.told++
    this.may = !this.#queue.mustWait(this)
  }
}

function readersOf(queue: MemoryQueue, count: number) {
  const readers = Array.from({ length: count }, () => new TestReader(queue))
  for (const reader of readers) reader.adjustReading()
  return { readers, mayCount: () => readers.filter(({ may }) => may).length }
}

test('when the budget is used up one question stops all', () => {
  const { queue, fill, ranOut, turn } = heldWorld()
  const { readers, mayCount } = readersOf(queue, 100)
  expect(mayCount()).toBe(100)
  fill()
  readers[7]?.adjustReading()
  expect(mayCount()).toBe(0)
  expect(ranOut).toEqual([])
  turn()
  expect(ranOut).toEqual([1])
})

test('when there is room they go on a few a turn, first come first served', () => {
  const { queue, fill, makeRoom, turn } = heldWorld()
  const { readers, mayCount } = readersOf(queue, 100)
  fill()
  readers[7]?.adjustReading()
  makeRoom()
  expect(mayCount()).toBe(16)
  expect(readers[0]?.may).toBe(true)
  turn()
  expect(mayCount()).toBe(32)
  for (let turns = 0; turns < 10; turns++) turn()
  expect(mayCount()).toBe(100)
})

test('when the budget is used up again meanwhile the others go on waiting', () => {
  const { queue, fill, makeRoom, turn } = heldWorld()
  const { readers, mayCount } = readersOf(queue, 100)
  fill()
  readers[0]?.adjustReading()
  makeRoom()
  fill()
  turn()
  expect(mayCount()).toBe(16)
  readers[0]?.adjustReading()
  expect(mayCount()).toBe(0)
})

test('one that gives memory back when it is stopped lets the first go on', () => {
  const { queue, fill, makeRoom } = heldWorld()
  const generous = {
    isGreedy: false,
    isStarved: false,
    adjustReading: () => {
      if (queue.mustWait(generous)) makeRoom()
    },
  }
  const asking = new TestReader(queue)
  generous.adjustReading()
  asking.adjustReading()
  fill()
  asking.adjustReading()
  expect(asking.may).toBe(true)
  expect(queue.isWaiting(asking)).toBe(false)
})

test('one that is gone is told nothing, and a closed queue nobody', () => {
  const { queue, fill, makeRoom, listeners } = heldWorld()
  const { readers } = readersOf(queue, 2)
  fill()
  readers[0]?.adjustReading()
  queue.forget(readers[1] as Reader)
  makeRoom()
  expect(readers.map(({ may }) => may)).toEqual([true, false])
  queue.close()
  expect(listeners.size).toBe(0)
})

test('one that holds more than its share waits alone, and is told when somebody gave memory back', () => {
  const { queue, ranOut, turn } = heldWorld()
  const { readers } = readersOf(queue, 3)
  const [greedy, ...others] = readers as [TestReader, ...TestReader[]]
  greedy.isGreedy = true
  greedy.adjustReading()
  expect([greedy.may, ...others.map(({ may }) => may)]).toEqual([false, true, true])
  turn()
  expect(ranOut).toEqual([1])
  queue.released()
  turn()
  expect([greedy.told, greedy.may]).toEqual([3, false])
  greedy.isGreedy = false
  queue.released()
  turn()
  expect(greedy.may).toBe(true)
})

test('those that go on waiting are told all in turn, and nobody for ever', () => {
  const { queue, turn } = heldWorld()
  const { readers } = readersOf(queue, 100)
  for (const reader of readers) {
    reader.isGreedy = true
    reader.adjustReading()
    reader.told = 0
  }
  queue.released()
  for (let turns = 0; turns < 7; turns++) turn()
  expect(readers.map(({ told }) => told)).toEqual(readers.map(() => 1))
  for (let turns = 0; turns < 10; turns++) turn()
  expect(readers.map(({ told }) => told)).toEqual(readers.map(() => 1))
})

test('of the starved the one that waits longest is first', () => {
  const { queue } = heldWorld()
  const { readers } = readersOf(queue, 3)
  for (const reader of readers) {
    reader.isGreedy = true
    reader.adjustReading()
  }
  for (const reader of readers.slice(1)) reader.isStarved = true
  readers[1]?.adjustReading()
  expect(queue.firstStarved()).toBe(readers[1])
})
