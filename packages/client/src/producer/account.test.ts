import { expect, test } from 'vitest'
import { Account } from './account.ts'

const limits = { maxBufferedBytes: 100, highWaterBytes: 25, lowWaterBytes: 12 }

function waiting(account: Account, bytes: number, entered: number[]) {
  const one = {
    sentMs: 0,
    enter() {
      account.add(bytes)
      entered.push(bytes)
    },
    giveUp() {},
  }
  account.wait(one)
  return one
}

test('the marks are a quarter, the whole and twice the bound', () => {
  const account = new Account(limits)
  account.add(24)
  expect([account.high, account.full, account.overfull]).toEqual([false, false, false])
  account.add(1)
  expect([account.high, account.full, account.overfull]).toEqual([true, false, false])
  account.add(75)
  expect([account.high, account.full, account.overfull]).toEqual([true, true, false])
  account.add(100)
  expect(account.overfull).toBe(true)
})

test('drained resolves below the low-water mark, not at it', async () => {
  const account = new Account(limits)
  account.add(40)
  let drained = false
  void account.drained().then(() => {
    drained = true
  })
  account.release(28)
  await Promise.resolve()
  expect(drained).toBe(false)
  account.release(1)
  await Promise.resolve()
  expect(drained).toBe(true)
})

test('who waits enters in order, while there is room', async () => {
  const account = new Account(limits)
  account.add(100)
  const entered: number[] = []
  waiting(account, 60, entered)
  waiting(account, 50, entered)
  waiting(account, 40, entered)
  account.release(10)
  await Promise.resolve()
  expect(entered).toEqual([60])
  account.release(90)
  await Promise.resolve()
  expect(entered).toEqual([60, 50])
})

test('nobody overtakes those who wait', () => {
  const account = new Account(limits)
  account.add(100)
  waiting(account, 10, [])
  account.release(99)
  expect(account.full).toBe(true)
})

test('who leaves does not enter', async () => {
  const account = new Account(limits)
  account.add(100)
  const entered: number[] = []
  const first = waiting(account, 1, entered)
  waiting(account, 2, entered)
  expect(account.leave(first)).toBe(true)
  expect(account.leave(first)).toBe(false)
  account.release(50)
  await Promise.resolve()
  expect(entered).toEqual([2])
})
