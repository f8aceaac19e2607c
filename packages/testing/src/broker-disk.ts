// The disk of a test broker, and what can go wrong with it. All of it, by paths, is `world.disk('broker-0')`.
import type { Generator } from './world/generator.ts'
import type { DiskFaults } from './world/index.ts'

export type BrokerDisk = Pick<DiskFaults, 'fill' | 'stall' | 'heal'> & {
  /** The next `count` (default 1) syncs fail with EIO; what they were for is gone at the next power cut. */
  failSync(count?: number): void
  /**
   * Rot: one bit of one record batch of the partition, drawn from the seed. What the broker has in memory stays right.
   *
   * Errors  RangeError where the partition has no bytes yet.
   */
  flipBit(topic: string, partition: number): FlippedBit
}

export type FlippedBit = { readonly path: string; readonly position: number; readonly bit: number }

export function brokerDisk(faults: DiskFaults, directory: string, dice: Generator): BrokerDisk {
  return {
    fill: (freeBytes) => faults.fill(freeBytes),
    failSync: (count) => faults.failSync(count),
    stall: (duration) => faults.stall(duration),
    heal: () => faults.heal(),
    flipBit(topic, partition) {
      const folder = `${directory}/${topic}-${partition}`
      const { path, position } = drawByte(faults, folder, dice)
      const bit = dice.below(8)
      faults.flipBit(path, position, bit)
      return { path, position, bit }
    },
  }
}

/** Every byte of the partition's segments is as likely as every other. */
function drawByte(faults: DiskFaults, folder: string, dice: Generator) {
  const segments = faults.files(folder).filter(({ path }) => path.endsWith('.log'))
  let position = dice.below(segments.reduce((sum, { size }) => sum + size, 0))
  for (const { path, size } of segments) {
    if (position < size) return { path, position }
    position -= size
  }
  const name = folder.slice(folder.lastIndexOf('/') + 1)
  throw new RangeError(`${name} has no bytes on the disk: there is nothing to rot`)
}
