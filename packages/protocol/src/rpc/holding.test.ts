import { expect, test } from 'vitest'
import { Account } from '../../test/harness.ts'
import { Holding } from './holding.ts'

const MIB = 2 ** 20

test('however many take all they may, an equal part is left for the next one', () => {
  for (const count of [1, 20, 1000]) {
    const account = new Account(256 * MIB)
    const holdings = Array.from({ length: count }, () => new Holding(account, () => {}))
    for (let round = 0; round < 2000; round++)
      for (const holding of holdings) holding.charge(Math.min(holding.room, 64 * 1024))
    const left = (256 * MIB * 8) / (count + 8)
    expect(account.free).toBeGreaterThan(left * 0.9)
    expect(new Holding(account, () => {}).room).toBeGreaterThan((left / 8) * 0.9)
  }
})

test('what is given back is told of, and the budget is whole again', () => {
  const account = new Account(MIB)
  let released = 0
  const holding = new Holding(account, () => released++)
  holding.charge(MIB)
  expect(holding.room).toBe(0)
  holding.release(MIB)
  expect([released, account.bytes, holding.room]).toEqual([1, 0, MIB / 8])
})
