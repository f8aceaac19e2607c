// What every implementation of the `random` port must do.
import { describe, expect, test } from 'vitest'
import type { Random } from '../env.ts'
import { inWorld, type MakeWorld, type PortWorld } from './port-world.ts'

export function randomCompliance(name: string, makeWorld: MakeWorld<PortWorld<Random>>): void {
  const withRandom = (use: (random: Random) => void) =>
    inWorld(makeWorld, async ({ port }) => use(port))

  describe(`random: ${name}`, () => {
    test('next() lies in [0, 1) and spreads over it', () =>
      withRandom((random) => {
        const values = Array.from({ length: 1000 }, () => random.next())
        expect(values.every((value) => value >= 0 && value < 1)).toBe(true)
        // Each quarter misses all thousand with probability 10^-125.
        for (const quarter of [0, 1, 2, 3]) {
          expect(values.some((value) => Math.floor(value * 4) === quarter)).toBe(true)
        }
      }))

    test('below() gives every integer under its bound and no other', () =>
      withRandom((random) => {
        const seen = new Set(Array.from({ length: 1000 }, () => random.below(5)))
        expect([...seen].sort()).toEqual([0, 1, 2, 3, 4])
        expect(random.below(1)).toBe(0)
      }))

    test('below() takes bounds above 32 bits', () =>
      withRandom((random) => {
        const bound = 2 ** 48
        const values = Array.from({ length: 100 }, () => random.below(bound))
        expect(values.every((value) => Number.isInteger(value) && value < bound)).toBe(true)
        expect(Math.max(...values)).toBeGreaterThan(2 ** 32)
      }))

    test('bytes() gives as many as asked for, and each time others', () =>
      withRandom((random) => {
        for (const size of [0, 1, 16, 10_000]) {
          const bytes = random.bytes(size)
          expect(Buffer.isBuffer(bytes)).toBe(true)
          expect(bytes).toHaveLength(size)
        }
        expect(random.bytes(16).equals(random.bytes(16))).toBe(false)
        expect(new Set(random.bytes(10_000)).size).toBeGreaterThan(200)
      }))

    test('uuid() is of version 4, lower case, and each time another', () =>
      withRandom((random) => {
        const uuids = Array.from({ length: 100 }, () => random.uuid())
        for (const uuid of uuids) {
          expect(uuid).toMatch(
            /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
          )
        }
        expect(new Set(uuids).size).toBe(100)
      }))

    test('buggify() never says yes to probability 0', () =>
      withRandom((random) => {
        for (let index = 0; index < 100; index++) {
          expect(random.buggify(`point-${index}`, 0)).toBe(false)
        }
      }))
  })
}
