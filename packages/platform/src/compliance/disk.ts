// What every implementation of the `disk` port must do. What a crash leaves behind is the twin's own test.
import { describe } from 'vitest'
import type { Disk } from '../env.ts'
import { directorySuite } from './disk-directories.ts'
import { fileSuite } from './disk-files.ts'
import { inWorld, type MakeWorld, type PortWorld } from './port-world.ts'

export type DiskWorld = PortWorld<Disk> & {
  /** Absolute; it exists and is empty. */
  readonly directory: string
}

export type InDisk = (use: (world: DiskWorld) => Promise<void>) => () => Promise<void>

export function diskCompliance(name: string, makeWorld: MakeWorld<DiskWorld>): void {
  const inDisk: InDisk = (use) => () => inWorld(makeWorld, use)

  describe(`disk: ${name}`, () => {
    fileSuite(inDisk)
    directorySuite(inDisk)
  })
}
