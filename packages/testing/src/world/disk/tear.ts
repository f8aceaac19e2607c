// What a power cut makes of one operation that was not synced: kept, dropped or torn, as the dice say.
import type { Generator } from '../generator.ts'
import type { Operation } from './file-image.ts'
import type { GrowingBytes } from './growing-bytes.ts'

const SECTOR_SIZE = 512

/** Disks write whole sectors, in any order; the length of the file is metadata of its own. */
export function tearWrite(durable: GrowingBytes, operation: Operation, dice: Generator): void {
  const fate = dice.next()
  if (operation.type === 'resize') {
    if (fate < 0.5) durable.resize(operation.size)
    return
  }
  if (fate < 0.35) durable.write(operation.bytes, operation.position)
  else if (fate < 0.65) extend(durable, operation, dice)
  else {
    extend(durable, operation, dice)
    if (dice.chance(0.5)) keepPrefix(durable, operation, dice)
    else keepSomeSectors(durable, operation, dice)
  }
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
