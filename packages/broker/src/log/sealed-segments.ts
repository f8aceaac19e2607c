// `sealed`: what is known of each segment that is closed (REPLICATION 2.12.5).
// Enters: sums made while batches were appended. Leaves: a check on the headers, which the CRC of a batch leaves out.
//
//   minikafka sealed 1
//   <base offset> <size> <crc> <largest timestamp>    a line per segment; crc: CRC-32C of all its 61-byte headers in
//   crc32c 1a2b3c4d                                    order, hexadecimal; largest timestamp: -1 where it has none
import type { Disk } from '@minikafka/platform'
import { checkedText, withChecksum } from './checked-text.ts'
import { readRegularFile } from './regular-file.ts'

export type SealedSegment = {
  readonly baseOffset: number
  readonly sizeBytes: number
  readonly headersCrc: number
  readonly maxTimestamp: number
}

const FILE_NAME = 'sealed'
const HEADER = 'minikafka sealed 1'
const LINE = /^(\d{1,16}) (\d{1,10}) ([0-9a-f]{8}) (-?\d{1,16})$/

export function sealedPath(directory: string): string {
  return `${directory}/${FILE_NAME}`
}

/** By base offset; empty where the file is missing or damaged, for it can be computed anew. */
export async function loadSealed(
  disk: Disk,
  directory: string,
): Promise<Map<number, SealedSegment>> {
  const sealed = new Map<number, SealedSegment>()
  const content = await readRegularFile(disk, sealedPath(directory))
  const lines = content && checkedText(content)?.split('\n')
  if (lines?.[0] !== HEADER) return sealed
  for (const line of lines.slice(1, -1)) {
    const fields = LINE.exec(line)
    if (fields === null) return new Map()
    const baseOffset = Number(fields[1])
    sealed.set(baseOffset, {
      baseOffset,
      sizeBytes: Number(fields[2]),
      headersCrc: Number.parseInt(fields[3] as string, 16),
      maxTimestamp: Number(fields[4]),
    })
  }
  return sealed
}

export async function saveSealed(
  disk: Disk,
  directory: string,
  segments: readonly SealedSegment[],
): Promise<void> {
  let text = `${HEADER}\n`
  for (const { baseOffset, sizeBytes, headersCrc, maxTimestamp } of segments) {
    const crc = headersCrc.toString(16).padStart(8, '0')
    text += `${baseOffset} ${sizeBytes} ${crc} ${maxTimestamp}\n`
  }
  await disk.replaceFile(sealedPath(directory), withChecksum(text))
}
