// Opens what the last run left of a log (REPLICATION 2.12.1). After a clean stop nothing is scanned. Otherwise every batch from
// the recovery point on is checked; the first bad one is a torn tail or corruption, and the floor decides which.
// Enters: files, and what the checkpoints say. Leaves: a log all of which is on the disk, or an error and nothing touched.
import { assert, DiskError } from '@minikafka/platform'
import type { MinikafkaError } from '@minikafka/protocol'
import { LeaderEpochs } from './leader-epochs.ts'
import { listLogFiles, type SegmentFiles } from './log-files.ts'
import type { LogHost } from './log-host.ts'
import { type OpenedLog, storageErrorOf } from './log-state.ts'
import type { LogIdentity, RecoveryReport } from './log-types.ts'
import { RecoveryScan } from './recovery-scan.ts'
import { loadSealed, type SealedSegment, saveSealed } from './sealed-segments.ts'
import { Segment, segmentPath } from './segment.ts'

/** What the checkpoints of the directory say of one partition. */
export type Knowledge = {
  /** The last stop was clean, and this log was among those that were closed cleanly. */
  readonly clean: boolean
  /** 'lost': the file was damaged. undefined: nothing was ever synced. */
  readonly recoveryPoint: number | 'lost' | undefined
  /** Of `synced`; undefined: no good slot. */
  readonly synced: number | undefined
  readonly logStartOffset: number | undefined
  readonly highWatermark: number | undefined
}

export type LogPlace = {
  readonly identity: LogIdentity
  readonly directory: string
  readonly compactedBelow: number
}

export type Progress = (doneBytes: number, totalBytes: number) => void

/**
 * Opens the log that lies in a directory.
 *
 * Errors  KAFKA_STORAGE_ERROR: the partition must stay offline, for what was synced is damaged or gone; nothing was
 *         cut. StartError: one of our files is no regular file.
 * Holds   afterwards an fdatasync covers the whole log; indexes fit what was scanned; epochs are complete.
 */
export async function recoverLog(
  host: LogHost,
  place: LogPlace,
  knowledge: Knowledge,
  onProgress: Progress = () => undefined,
): Promise<{ opened: OpenedLog; report: RecoveryReport }> {
  try {
    return await new Recovery(host, place, knowledge).run(onProgress)
  } catch (error) {
    if (!(error instanceof DiskError)) throw error
    throw storageErrorOf(place.identity, `opening the log failed: ${error.message}`, { cause: error })
  }
}

class Recovery {
  readonly #host: LogHost
  readonly #place: LogPlace
  readonly #knowledge: Knowledge
  #files: SegmentFiles[] = []
  #sealed: Map<number, SealedSegment> = new Map()
  #logStartOffset = 0

  constructor(host: LogHost, place: LogPlace, knowledge: Knowledge) {
    this.#host = host
    this.#place = place
    this.#knowledge = knowledge
  }

  async run(onProgress: Progress): Promise<{ opened: OpenedLog; report: RecoveryReport }> {
    const { disk } = this.#host.env
    const { directory } = this.#place
    this.#files = await listLogFiles(disk, directory)
    this.#logStartOffset = this.#knowledge.logStartOffset ?? this.#files[0]?.baseOffset ?? 0
    await this.#removeBelowStart()
    this.#sealed = await loadSealed(disk, directory)
    const epochs = await LeaderEpochs.load(disk, directory)
    const cleanEnd = this.#cleanEndOffset(epochs)
    return cleanEnd === undefined
      ? await this.#scan(epochs, onProgress)
      : this.#trust(cleanEnd, epochs ?? new LeaderEpochs(disk, directory))
  }

  // --- after a clean stop --------------------------------------------------------------------

  /** Where the log ends, if all that is there is as the clean stop left it. */
  #cleanEndOffset(epochs: LeaderEpochs | undefined): number | undefined {
    const { clean, recoveryPoint } = this.#knowledge
    if (!clean || typeof recoveryPoint !== 'number') return undefined
    if (recoveryPoint < this.#logStartOffset) return undefined
    // A missing epoch could not be told from one that never was (invariant I9): the log says.
    if (epochs === undefined && this.#files.some(({ log }) => log > 0)) return undefined
    if (!this.#files.every((file) => this.#isAsSealed(file))) return undefined
    const last = this.#files.at(-1)
    const leastEnd = last?.baseOffset ?? this.#logStartOffset
    const isEmpty = last === undefined || last.log === 0
    return isEmpty ? only(recoveryPoint === leastEnd, recoveryPoint) : only(recoveryPoint > leastEnd, recoveryPoint)
  }

  #trust(
    logEndOffset: number,
    epochs: LeaderEpochs,
  ): { opened: OpenedLog; report: RecoveryReport } {
    const segments = this.#files.map((file, index) => {
      const segment = this.#segmentOf(file, this.#sealed.get(file.baseOffset))
      segment.nextOffset = this.#files[index + 1]?.baseOffset ?? logEndOffset
      return segment
    })
    if (segments.length === 0) segments.push(this.#emptySegment(logEndOffset))
    epochs.cutEnd(logEndOffset)
    epochs.cutStart(this.#logStartOffset)
    const opened = this.#opened(segments, { logEndOffset, epochs, sealed: [...this.#sealed.values()] })
    const lost = logEndOffset < (this.#knowledge.highWatermark ?? 0)
    return { opened, report: { clean: true, logEndOffset, scannedBytes: 0, cutBytes: 0, lost } }
  }

  // --- after any other stop ------------------------------------------------------------------

  async #scan(
    loadedEpochs: LeaderEpochs | undefined,
    onProgress: Progress,
  ): Promise<{ opened: OpenedLog; report: RecoveryReport }> {
    const { disk } = this.#host.env
    const { directory, compactedBelow } = this.#place
    const epochs = loadedEpochs ?? new LeaderEpochs(disk, directory)
    const known = epochs.entries
    const scanFrom = loadedEpochs === undefined ? 0 : this.#scanFrom()
    const segments = this.#files.map((file, index) => {
      if (index >= scanFrom) return this.#segmentOf(file, undefined)
      const segment = this.#segmentOf(file, this.#sealed.get(file.baseOffset))
      segment.nextOffset = (this.#files[index + 1] as SegmentFiles).baseOffset
      return segment
    })
    const scan = new RecoveryScan(this.#host, { compactedBelow, epochs, onProgress })
    const found = await scan.run(segments, scanFrom, this.#files)
    this.#judge(found)
    const kept = await this.#cutTo(found, segments)
    for (const segment of kept.slice(scanFrom)) await this.#makeDurable(segment)
    epochs.cutEnd(kept.logEndOffset)
  }
}

function only(condition: boolean, offset: number): number | undefined {
  return condition ? offset : undefined
}
