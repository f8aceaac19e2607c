// Dice of this process. Numbers for jitter and sampling are fast ones; bytes and ids are cryptographic.
import { randomBytes, randomUUID } from 'node:crypto'
import type { Random } from '../env.ts'

export const nodeRandom: Random = {
  next: () => Math.random(),
  below: (bound) => Math.floor(Math.random() * bound),
  bytes: (size) => randomBytes(size),
  uuid: () => randomUUID(),
  buggify: () => false,
}
