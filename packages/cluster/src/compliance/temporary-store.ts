// An embedded store in a directory of its own on a held clock, to be opened again and again: for tests.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Env, nodeEnv } from '@minikafka/platform'
import { HeldClock } from '@minikafka/platform/compliance'
import {
  type EmbeddedStore,
  type EmbeddedStoreOptions,
  openEmbeddedStore,
} from '../embedded/index.ts'

export type TemporaryStore = {
  readonly env: Env
  readonly clock: HeldClock
  readonly directory: string
  open(options?: Partial<EmbeddedStoreOptions>): Promise<EmbeddedStore>
  remove(): Promise<void>
}

export async function temporaryStore(): Promise<TemporaryStore> {
  const directory = await mkdtemp(join(tmpdir(), 'minikafka-store-'))
  const clock = new HeldClock()
  const env = quietEnv(clock)
  return {
    env,
    clock,
    directory,
    open: (options) => openEmbeddedStore(env, { directory, ...options }),
    remove: () => rm(directory, { recursive: true }),
  }
}

/** The real outside but for the clock, and without a word in the log. */
export function quietEnv(clock: HeldClock): Env {
  const real = nodeEnv()
  real.logger.level = 'silent'
  return { ...real, clock }
}
