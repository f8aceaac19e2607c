// `damaged`: what was found at run time to be unreadable, so that a restart does not serve it again (REPLICATION 2.12.5).
// A clean start reads no batch, and the scrubber may not come by for days. Not needed for safety of what is written:
// a lost note is found again by a reader, by the scrubber or by `verify`.
//
//   minikafka damaged 1
//   <segment> <position> <end position> <from offset> <next offset> <reason>     a line per place
//   crc32c 1a2b3c4d
import { type Disk, DiskError } from '@minikafka/platform'
import { BatchChain } from './batch-chain.ts'
import { checkedText, withChecksum } from './checked-text.ts'
import type { Damage } from './damage.ts'
import { headersCrcOf } from './headers-crc.ts'
import type { LogHost } from './log-host.ts'
import type { OpenedLog } from './log-state.ts'
import type { Segment } from './segment.ts'
import { damageFrom, type InspectedSegment, inspectSegment } from './segment-inspection.ts'

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

/**
 * What the note says and is still true: a file may have been restored from a copy.
 *
 * Errors  DiskError EIO where the shorter note could not be written. What cannot be read is no error here: the
 *         partition is worth more than its note.
 */
export async function loadDamages(host: LogHost, log: OpenedLog): Promise<Damage[]> {
  const noted = await readNote(host, log)
  const still: Damage[] = []
  for (const damage of noted) if (await isStillThere(host, log, damage)) still.push(damage)
  if (still.length === noted.length) return still
  try {
    await saveDamages(host.env.disk, log.directory, still)
  } catch (error) {
    if (!(error instanceof DiskError) || error.code === 'EIO') throw error
    warn(host, log, error)
  }
  return still
}

async function readNote(host: LogHost, log: OpenedLog): Promise<Damage[]> {
  try {
    const content = await host.env.disk.readFile(damageNotePath(log.directory))
    return content === undefined ? [] : parse(content)
  } catch (error) {
    if (!(error instanceof DiskError)) throw error
    warn(host, log, error)
    return []
  }
}

function warn(host: LogHost, { directory }: OpenedLog, error: DiskError): void {
  host.env.logger.warn({ directory, err: error }, 'the note of what is damaged was not kept')
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
  try {
    return await isFoundAgain(host, log, noted, segment)
  } catch (error) {
    // A sector that cannot be read at all any more is no better than one that says something else.
    if (!(error instanceof DiskError)) throw error
    return true
  }
}

async function isFoundAgain(
  host: LogHost,
  log: OpenedLog,
  noted: Damage,
  segment: Segment,
): Promise<boolean> {
  const { compactedBelow, holes, epochs } = log
  const { baseOffset, size, nextOffset } = segment
  const open = await host.files.acquire(segment.path)
  try {
    const inspected = { file: open.file, baseOffset, size, endOffset: nextOffset }
    const at = { position: noted.position, offset: noted.fromOffset }
    const chain = new BatchChain(at.offset, -1, { compactedBelow, holes, epochs })
    const found = await damageFrom(inspected, at, chain, {
      depth: 'sums',
      until: noted.endPosition,
    })
    if (found !== undefined) return true
    // Every batch is right by itself: whether they are those that were written, only the sum knows.
    const isWhole = noted.position === 0 && noted.endPosition === size
    if (!isWhole || segment === log.segments.at(-1)) return false
    return (await headersCrcIn(inspected, chain.rules)) !== segment.headersCrc
  } finally {
    host.files.release(open)
  }
}

async function headersCrcIn(segment: InspectedSegment, rules: BatchChain['rules']) {
  let sum = 0
  const chain = new BatchChain(segment.baseOffset, -1, rules)
  for await (const fact of inspectSegment(segment, chain, 'headers'))
    if (fact.kind === 'batch') sum = headersCrcOf(fact.bytes, 0, sum)
  return sum
}
