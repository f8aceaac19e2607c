// What a power cut makes of operations that were not synced: kept, dropped or torn, as the dice say.
import type { Generator } from '../generator.ts'
import { SECTOR_SIZE } from './bad-sectors.ts'
import type { Operation } from './file-image.ts'
import type { GrowingBytes } from './growing-bytes.ts'

export type Fate = 'kept' | 'lost' | 'torn'

/**
 * Of `count` operations that were not synced, in their order. Write-back runs in the background: often it wrote
 * nothing yet (with delayed allocation a new file then has length 0), or all of it, or what is oldest; but pages may
 * go out in any order, so sometimes each has a fate of its own.
 */
export function drawFates(count: number, dice: Generator): Fate[] {
  const kind = dice.next()
  const fates = new Array<Fate>(count).fill('lost')
  if (kind < 0.2) return fates
  if (kind < 0.3) return fates.fill('kept')
  if (kind < 0.5) {
    const first = dice.below(count + 1)
    return fates.fill('kept', 0, first).fill('torn', first, first + 1)
  }
  return fates.map(() => {
    const fate = dice.next()
    if (fate < 0.35) return 'kept'
    return fate < 0.5 ? 'lost' : 'torn'
  })
}

/**
 * Disks write whole sectors, in any order; the length of the file is metadata of its own: it may have come first. A
 * change of the length alone is not torn.
 */
export function tearWrite(durable: GrowingBytes, operation: Operation, dice: Generator): void {
  if (operation.type === 'resize') return
  extend(durable, operation, dice)
  const kind = dice.next()
  if (kind < 0.35) keepPrefix(durable, operation, dice)
  else if (kind < 0.7) keepSomeSectors(durable, operation, dice)
}

type Write = Operation & { type: 'write' }

/** The file may have its new length already, over zeros or over whatever those blocks held before. */
function extend(durable: GrowingBytes, { position, bytes }: Write, dice: Generator): void {
  const end = position + bytes.length
  if (end <= durable.size || dice.chance(0.6)) return
  const start = durable.size
  durable.resize(end)
  if (dice.chance(0.5)) return
  const garbage = Buffer.alloc(end - start)
  dice.fill(garbage)
  durable.write(garbage, start)
}

function keepPrefix(durable: GrowingBytes, { position, bytes }: Write, dice: Generator): void {
  const size = dice.below(bytes.length + 1)
  durable.write(bytes.subarray(0, size), position)
}

function keepSomeSectors(durable: GrowingBytes, { position, bytes }: Write, dice: Generator): void {
  let from = 0
  while (from < bytes.length) {
    const sectorEnd = SECTOR_SIZE - ((position + from) % SECTOR_SIZE)
    const to = Math.min(bytes.length, from + sectorEnd)
    if (dice.chance(0.5)) durable.write(bytes.subarray(from, to), position + from)
    from = to
  }
}
