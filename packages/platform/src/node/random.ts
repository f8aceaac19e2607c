// The `random` port: the dice of the system.
import { randomBytes, randomUUID } from 'node:crypto'
import { assert } from '../assert.ts'
import type { Random } from '../env.ts'

/** Numbers, for jitter and samples, are fast; bytes and ids are cryptographic. */
export const nodeRandom: Random = {
  next: () => Math.random(),
  below(bound) {
    assert(Number.isSafeInteger(bound) && bound > 0, 'a bound is a whole number above 0')
    return Math.floor(Math.random() * bound)
  },
  bytes: (size) => randomBytes(size),
  uuid: () => randomUUID(),
  buggify: () => false,
}
