// What a log was when it was closed in order: a row of `clean-shutdown.json`, so that nothing of it is read at the next
// start. Enters: a closed log. Leaves: a row of JSON, and the log again where the row is one that we write.
//
//   [base offset, size, CRC of headers, largest timestamp, [[epoch, start offset] ...], note]
//   of the last segment what `sealed` would say; what `leader-epoch-checkpoint` would; note: the partition's own, or null
import { areEpochs, type EpochEntry } from './leader-epochs.ts'
import type { SealedSegment } from './sealed-segments.ts'

export type ClosedLog = {
  readonly lastSegment: SealedSegment
  readonly epochs: readonly EpochEntry[]
  /** What `LogListener.closing` gave: JSON. */
  readonly note: unknown
}

const ROW_LENGTH = 6

export function rowOf({ lastSegment, epochs, note }: ClosedLog): readonly unknown[] {
  const { baseOffset, sizeBytes, headersCrc, maxTimestamp } = lastSegment
  const begun = epochs.map(({ epoch, startOffset }) => [epoch, startOffset])
  return [baseOffset, sizeBytes, headersCrc, maxTimestamp, begun, note ?? null]
}

export function closedLogOf(row: unknown): ClosedLog | undefined {
  if (!Array.isArray(row) || row.length !== ROW_LENGTH) return undefined
  const [baseOffset, sizeBytes, headersCrc, maxTimestamp, begun, note] = row
  const isSegment = [baseOffset, sizeBytes, headersCrc, maxTimestamp].every(Number.isSafeInteger)
  const epochs = epochsOf(begun)
  if (!isSegment || epochs === undefined) return undefined
  return { lastSegment: { baseOffset, sizeBytes, headersCrc, maxTimestamp }, epochs, note }
}

function epochsOf(rows: unknown): EpochEntry[] | undefined {
  if (!Array.isArray(rows)) return undefined
  const entries = rows.map((row: unknown): EpochEntry => {
    const [epoch, startOffset] = Array.isArray(row) ? row : []
    return { epoch, startOffset }
  })
  return areEpochs(entries) ? entries : undefined
}
