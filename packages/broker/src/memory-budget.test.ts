import { expect, test } from 'vitest'
import { MemoryBudget } from './memory-budget.ts'

function budgetOf(bytesMax: number, tailBytesMax: number) {
  const tail: number[] = []
  const budget = new MemoryBudget(
    bytesMax,
    { setTailBytesMax: (bytes) => tail.push(bytes) },
    tailBytesMax,
  )
  return { budget, tail }
}

test('it is full above its bound, and says when there is room again, once', () => {
  const { budget } = budgetOf(100, 0)
  let rooms = 0
  budget.onRoom(() => rooms++)
  budget.charge(100)
  expect(budget.full).toBe(false)
  budget.charge(1)
  expect(budget.full).toBe(true)
  budget.release(1)
  budget.release(50)
  expect([budget.full, rooms, budget.bytes]).toEqual([false, 1, 50])
})

test('who stopped listening is not called', () => {
  const { budget } = budgetOf(10, 0)
  let rooms = 0
  const stop = budget.onRoom(() => rooms++)
  budget.charge(11)
  stop()
  budget.release(11)
  expect(rooms).toBe(0)
})

test('the tail gives way first, and has its share back when others need less', () => {
  const { budget, tail } = budgetOf(100, 30)
  budget.charge(60)
  expect(tail).toEqual([])
  budget.charge(30)
  budget.charge(30)
  expect(tail).toEqual([10, 0])
  budget.release(100)
  expect(tail).toEqual([10, 0, 30])
})
