// `damaged`: what was found at run time to be unreadable, so that a restart does not serve it again (REPLICATION 2.12.5).
// A clean start reads no batch, and the scrubber may not come by for days. Not needed for safety of what is written:
// a lost note is found again by a reader, by the scrubber or by `verify`.
//
//   minikafka damaged 1
//   <segment> <position> <end position> <from offset> <next offset> <reason>     a line per place
//   crc32c 1a2b3c4d
import type { Disk } from '@minikafka/platform'
import { BatchChain } from './batch-chain.ts'
import { checkedText, withChecksum } from './checked-text.ts'
import type { Damage } from './damage.ts'
import type { LogHost } from './log-host.ts'
import type { OpenedLog } from './log-state.ts'
import { damageFrom } from './segment-inspection.ts'

const FILE_NAME = 'damaged'
const HEADER = 'minikafka damaged 1'
const LINE = /^(\d{1,16}) (\d{1,10}) (\d{1,10}) (\d{1,16}) (\d{1,16}) (.*)$/

export function damageNotePath(directory: string): string {
  return `${directory}/${FILE_NAME}`
}

/** Errors: DiskError. Holds: durable when it resolves; no file where there is no damage. */
export async function saveDamages(
  disk: Disk,
  directory: string,
  damages: readonly Damage[],
): Promise<void> {
  const path = damageNotePath(directory)
  if (damages.length === 0) return disk.removeFile(path)
  let text = `${HEADER}\n`
  for (const one of damages) {
    const { segmentBase, position, endPosition, fromOffset, nextOffset, reason } = one
    text += `${segmentBase} ${position} ${endPosition} ${fromOffset} ${nextOffset} ${reason}\n`
  }
  await disk.replaceFile(path, withChecksum(text))
}

/** What the note says and is still true: a file may have been restored from a copy. Errors: DiskError. */
export async function loadDamages(host: LogHost, log: OpenedLog): Promise<Damage[]> {
  const content = await host.env.disk.readFile(damageNotePath(log.directory))
  if (content === undefined) return []
  const noted = parse(content)
  const still: Damage[] = []
  for (const damage of noted) if (await isStillThere(host, log, damage)) still.push(damage)
  if (still.length < noted.length) await saveDamages(host.env.disk, log.directory, still)
  return still
}

function parse(content: Buffer): Damage[] {
  const lines = checkedText(content)?.split('\n')
  if (lines?.[0] !== HEADER) return []
  const damages: Damage[] = []
  for (const line of lines.slice(1, -1)) {
    const fields = LINE.exec(line)
    if (fields === null) return []
    const [segmentBase, position, endPosition, fromOffset, nextOffset] = fields
      .slice(1, 6)
      .map(Number) as [number, number, number, number, number]
    const reason = fields[6] as string
    damages.push({ segmentBase, position, endPosition, fromOffset, nextOffset, reason })
  }
  return damages
}

async function isStillThere(host: LogHost, log: OpenedLog, noted: Damage): Promise<boolean> {
  const segment = log.segments.find(({ baseOffset }) => baseOffset === noted.segmentBase)
  if (segment === undefined || !segment.exists || noted.position >= segment.size) return false
  if (noted.nextOffset <= log.logStartOffset) return false
  const { compactedBelow, holes, epochs } = log
  const open = await host.files.acquire(segment.path)
  try {
    const { baseOffset, size, nextOffset } = segment
    const inspected = { file: open.file, baseOffset, size, endOffset: nextOffset }
    const at = { position: noted.position, offset: noted.fromOffset }
    const chain = new BatchChain(at.offset, -1, { compactedBelow, holes, epochs })
    const found = await damageFrom(inspected, at, chain, {
      depth: 'sums',
      until: noted.endPosition,
    })
    return found !== undefined
  } finally {
    host.files.release(open)
  }
}
