// Opens what the last run left of a log (REPLICATION 2.12.1). After a clean stop nothing is scanned. Otherwise every batch from
// the recovery point on is checked; the first bad one is a torn tail or corruption, and the floor decides which.
// Enters: files, and what the checkpoints say. Leaves: a log all of which is on the disk, or an error and nothing touched.
import { assert, DiskError, type File, isNoSpace } from '@minikafka/platform'
import { BatchChain } from './batch-chain.ts'
import type { ClosedLog } from './closed-log.ts'
import { behindHoles, type Hole } from './damage.ts'
import { loadDamages } from './damage-note.ts'
import { LeaderEpochs } from './leader-epochs.ts'
import { listLogFiles, type SegmentFiles } from './log-files.ts'
import type { LogHost } from './log-host.ts'
import { CURE, type OpenedLog, storageErrorOf } from './log-state.ts'
import type { LogIdentity, OpenLogOptions, RecoveryReport } from './log-types.ts'
import { isOutOfDescriptors } from './open-files.ts'
import { type ScanResult, scanSegments, type Unscanned } from './recovery-scan.ts'
import { loadSealed, type SealedSegment, saveSealed } from './sealed-segments.ts'
import { Segment } from './segment.ts'

/** One read and one write of the copy that makes a tail durable. */
const COPY_BYTES = 1024 * 1024

/** What the checkpoints of the directory say of one partition. */
export type Knowledge = {
  /** The last stop was clean and this log closed in order: what it was then. */
  readonly closed: ClosedLog | undefined
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
  readonly holes: readonly Hole[]
  readonly indexIntervalBytes: number
}

/** Who is told of a scan. */
export type ScanWatch = Pick<OpenLogOptions, 'onProgress' | 'scanned'>

export type Recovered = {
  readonly opened: OpenedLog
  readonly report: RecoveryReport
  /** Nothing came between the stop and this: what `LogListener.closing` gave. */
  readonly note?: unknown
}

/**
 * Opens the log that lies in a directory.
 *
 * Errors  KAFKA_STORAGE_ERROR: the partition must stay offline, for what was synced is damaged or gone; nothing was
 *         cut. StartError: one of our files is no regular file.
 *         DiskError: EIO where something was written or synced, which is the end of the directory; no space, no
 *         descriptors, which pass.
 * Holds   afterwards an fdatasync covers the whole log; indexes fit what was scanned; epochs are complete.
 */
export async function recoverLog(
  host: LogHost,
  place: LogPlace,
  knowledge: Knowledge,
  watch: ScanWatch,
): Promise<Recovered> {
  const recovery = new Recovery(host, place, knowledge, watch)
  try {
    const recovered = await recovery.run()
    recovery.isWriting = true
    if (!recovery.hasDamageNote) return recovered
    const damages = await loadDamages(host, recovered.opened)
    return { ...recovered, opened: { ...recovered.opened, damages } }
  } catch (error) {
    if (!(error instanceof DiskError)) throw error
    const passes: boolean = isNoSpace(error) || isOutOfDescriptors(error)
    if (passes || (error.code === 'EIO' && recovery.isWriting)) throw error
    throw storageErrorOf(place.identity, `opening the log failed: ${error.message}`, {
      cause: error,
    })
  }
}

class Recovery {
  readonly #host: LogHost
  readonly #place: LogPlace
  readonly #knowledge: Knowledge
  readonly #watch: ScanWatch
  #files: SegmentFiles[] = []
  hasDamageNote = false
  #sealed: Map<number, SealedSegment> = new Map()
  #logStartOffset = 0
  /** All is read: an error from here on says that something may not be on the disk. */
  isWriting = false

  constructor(host: LogHost, place: LogPlace, knowledge: Knowledge, watch: ScanWatch) {
    this.#host = host
    this.#place = place
    this.#knowledge = knowledge
    this.#watch = watch
  }

  async run(): Promise<Recovered> {
    const { disk } = this.#host.env
    const { directory } = this.#place
    const { segments, hasDamageNote } = await listLogFiles(disk, directory)
    this.#files = segments
    this.hasDamageNote = hasDamageNote
    this.#logStartOffset = this.#knowledge.logStartOffset ?? this.#files[0]?.baseOffset ?? 0
    await this.#removeBelowStart()
    await this.#checkBeginning()
    // Most logs have the one segment that the clean stop knows, and `sealed` has nothing to add.
    const { closed } = this.#knowledge
    const [first] = this.#files
    const isAlone = this.#files.length === 1 && first?.baseOffset === closed?.lastSegment.baseOffset
    if (!isAlone) this.#sealed = await loadSealed(disk, directory)
    const cleanEnd = closed && this.#cleanEndOffset(closed)
    if (cleanEnd === undefined) return await this.#scan(await LeaderEpochs.load(disk, directory))
    return this.#trust(cleanEnd, new LeaderEpochs(disk, directory, closed?.epochs))
  }

  /** A crash came between the move of the log start and the removal of the files. */
  async #removeBelowStart(): Promise<void> {
    const isAbove = (_: SegmentFiles, index: number) => {
      const next = this.#files[index + 1]
      return next === undefined || next.baseOffset > this.#logStartOffset
    }
    const kept = this.#files.filter(isAbove)
    for (const file of this.#files.filter((one) => !kept.includes(one))) {
      await this.#removeFiles(this.#segmentOf(file))
    }
    this.#files = kept
  }

  /**
   * Readers would pass over what is missing at the front without a word. Where nothing had ever been synced it is a torn
   * tail from the first byte on: a power cut kept the name of a later segment and lost the first one's.
   */
  async #checkBeginning(): Promise<void> {
    const begin = this.#files[0]?.baseOffset ?? this.#logStartOffset
    if (begin <= this.#logStartOffset) return
    const { compactedBelow, holes, directory, identity } = this.#place
    const chain = new BatchChain(this.#logStartOffset, -1, {
      compactedBelow,
      holes,
      epochs: undefined,
    })
    if (chain.follows(begin)) return
    if (this.#floor === 0) {
      for (const file of this.#files.reverse()) await this.#removeFiles(this.#segmentOf(file))
      this.#files = []
      return
    }
    const message = `${directory}: the first segment begins at offset ${begin}, but the log at ${this.#logStartOffset}. Nothing was cut: ${CURE}.`
    throw storageErrorOf(identity, message, { offset: this.#logStartOffset })
  }

  // --- after a clean stop --------------------------------------------------------------------

  /** Where the log ends, if everything is as the clean stop left it; undefined: it must be scanned. */
  #cleanEndOffset({ lastSegment }: ClosedLog): number | undefined {
    // An empty log was never synced, so nothing is said of it.
    const wasEmpty = lastSegment.baseOffset === 0 && lastSegment.sizeBytes === 0
    const recoveryPoint = this.#knowledge.recoveryPoint ?? (wasEmpty ? 0 : undefined)
    if (typeof recoveryPoint !== 'number') return undefined
    if (!this.#files.every((file) => this.#isAsLeft(file))) return undefined
    if (this.#lastBeforeHole() !== -1) return undefined
    const last = this.#files.at(-1)
    if (last !== undefined && last.baseOffset !== lastSegment.baseOffset) return undefined
    const endIsPlausible =
      last === undefined || last.log === 0
        ? recoveryPoint === (last?.baseOffset ?? this.#logStartOffset)
        : recoveryPoint > last.baseOffset && recoveryPoint >= this.#logStartOffset
    return endIsPlausible ? recoveryPoint : undefined
  }

  #trust(logEndOffset: number, epochs: LeaderEpochs): Recovered {
    const segments = this.#files.map((file, index) => {
      const end = this.#files[index + 1]?.baseOffset ?? logEndOffset
      return this.#segmentOf(file, end)
    })
    const sealed = [...this.#sealed.values()]
    const trusted = this.#recovered({ segments, logEndOffset, epochs, sealed }, NOTHING_SCANNED)
    return { ...trusted, note: this.#knowledge.closed?.note }
  }

  // --- after any other stop ------------------------------------------------------------------

  async #scan(loadedEpochs: LeaderEpochs | undefined): Promise<Recovered> {
    const { disk } = this.#host.env
    const { directory, compactedBelow, holes, indexIntervalBytes } = this.#place
    const epochs = loadedEpochs ?? new LeaderEpochs(disk, directory)
    const before = epochs.entries
    const scanFrom = loadedEpochs === undefined ? 0 : this.#scanFrom()
    const trusted = this.#files
      .slice(0, scanFrom)
      .map((file, index) => this.#segmentOf(file, this.#files[index + 1]?.baseOffset))
    const unscanned = this.#files.slice(scanFrom).map((file) => this.#unscanned(file))
    const { onProgress = () => undefined, scanned: listener } = this.#watch
    await listener?.begins(unscanned[0]?.segment.baseOffset ?? this.#logStartOffset, directory)
    const found = await scanSegments(this.#host, unscanned, {
      rules: { compactedBelow, holes, epochs: loadedEpochs },
      indexIntervalBytes,
      epochs,
      onProgress,
      onBatch: listener && ((bytes, at) => listener.batch(bytes, at)),
    })
    const lastEnd = unscanned.length === 0 ? this.#logStartOffset : found.endOffset
    // Nothing is ever served out of a hole, so that no record may get an offset in it.
    const end = behindHoles(holes, lastEnd)
    const logEndOffset = behindHoles(holes, Math.max(end, this.#logStartOffset))
    this.#judge(found, end, unscanned)

    this.isWriting = true
    const { kept, cutBytes } = await this.#cut(found, end, unscanned)
    const lastSegment = kept.at(-1) ?? trusted.at(-1)
    if (lastSegment !== undefined && lastSegment.nextOffset < logEndOffset)
      kept.push(new Segment(this.#host, { directory, baseOffset: logEndOffset }))
    const segments = [...trusted, ...kept]
    for (const segment of kept) await this.#makeDurable(segment, segment !== segments.at(-1))
    const sealed = await this.#saveSealed(segments.slice(0, -1))
    if (epochs.entries !== before) await epochs.save()
    await disk.syncDirectory(directory)
    const scanned = { scannedBytes: found.scannedBytes, cutBytes, clean: false }
    return this.#recovered({ segments, logEndOffset, epochs, sealed }, scanned)
  }

  /** Index of the first segment that must be scanned. */
  #scanFrom(): number {
    const { recoveryPoint } = this.#knowledge
    const from = typeof recoveryPoint === 'number' ? recoveryPoint : 0
    const holder = this.#files.findLastIndex(({ baseOffset }) => baseOffset <= from)
    const doubtful = [
      this.#files.findIndex((file) => !this.#isAsLeft(file)),
      this.#lastBeforeHole(),
    ]
    return Math.max(0, Math.min(holder, ...doubtful.filter((index) => index !== -1)))
  }

  /** What is below it has been on the disk; undefined: nobody knows any more. */
  get #floor(): number | undefined {
    const floor = this.#syncedBelow
    if (floor === undefined || this.#knowledge.recoveryPoint === 'lost') return floor
    // Records below the log start were deleted: nobody misses them.
    return floor <= this.#logStartOffset ? 0 : floor
  }

  /** The floor, deleted records included: damage below is no torn tail, and what lies behind it may be promised. */
  get #syncedBelow(): number | undefined {
    const { recoveryPoint, synced } = this.#knowledge
    return recoveryPoint === 'lost' ? synced : Math.max(recoveryPoint ?? 0, synced ?? 0)
  }

  /** Torn tail or corruption? The floor decides (REPLICATION 2.12.1, step 5). Throws for corruption. */
  #judge({ broken }: ScanResult, end: number, unscanned: readonly Unscanned[]): void {
    const floor = broken === undefined ? this.#floor : this.#syncedBelow
    if (broken === undefined && end >= (floor ?? 0)) return
    if (broken !== undefined && floor !== undefined && broken.at.offset >= floor) return
    const why =
      floor === undefined
        ? 'How far it had been synced is not known, for recovery-point and synced are both damaged.'
        : `Everything below offset ${floor} had been synced.`
    const where =
      broken === undefined ? this.#place.directory : unscanned[broken.index]?.segment.path
    const what =
      broken === undefined
        ? `the log ends at offset ${end}`
        : `damaged at byte ${broken.at.position}, offset ${broken.at.offset}: ${broken.at.reason}`
    throw storageErrorOf(
      this.#place.identity,
      `${where}: ${what}. ${why} Nothing was cut: ${CURE}.`,
      { offset: end },
    )
  }

  /** Truncates the broken segment and removes the later ones; the files of a log that is all deleted, too. */
  async #cut(
    { broken }: ScanResult,
    end: number,
    unscanned: readonly Unscanned[],
  ): Promise<{ kept: Segment[]; cutBytes: number }> {
    const kept: Segment[] = []
    let cutBytes = 0
    // From the end, so that a crash on the way leaves no hole.
    for (const [index, { segment, fileSize }] of [...unscanned.entries()].reverse()) {
      const isBehind = index > (broken?.index ?? index) || isOutOfLine(segment, end)
      cutBytes += fileSize - (isBehind ? 0 : segment.size)
      if (isBehind || end < this.#logStartOffset) {
        await this.#removeFiles(segment)
        continue
      }
      kept.unshift(segment)
      if (segment.size < fileSize) await this.#truncate(segment)
    }
    return { kept, cutBytes }
  }

  async #truncate(segment: Segment): Promise<void> {
    const open = await this.#host.files.acquire(segment.path)
    try {
      await open.file.truncate(segment.size)
    } finally {
      this.#host.files.release(open)
    }
  }

  /** What a killed process wrote may be in the page cache alone. */
  async #makeDurable(segment: Segment, closed: boolean): Promise<void> {
    const open = await this.#host.files.acquire(segment.path, !segment.exists)
    try {
      segment.exists = true
      await this.#writeAgain(open.file, segment)
      await open.file.sync()
    } finally {
      this.#host.files.release(open)
    }
    if (closed) segment.finishTimeIndex()
    await unlessFull(segment.saveIndexes())
  }

  /**
   * Writes what no known sync covers over itself. After a failed fsync the system holds pages that it believes
   * written: they read well, and the next sync passes them by (Rebello, ATC'20). A copy makes them dirty again.
   */
  async #writeAgain(file: File, segment: Segment): Promise<void> {
    const floor = this.#floor ?? 0
    if (segment.nextOffset <= floor) return
    const hit = await segment.offsets.lookup(Math.max(floor, segment.baseOffset), segment.size)
    const buffer = Buffer.allocUnsafeSlow(Math.min(COPY_BYTES, segment.size))
    for (let position = hit?.position ?? 0; position < segment.size; ) {
      const part = buffer.subarray(0, Math.min(buffer.length, segment.size - position))
      await file.read(part, position)
      await file.append([part], position)
      position += part.length
    }
  }

  async #saveSealed(closed: readonly Segment[]): Promise<SealedSegment[]> {
    const sealed = closed.map((segment) => segment.sealed)
    const isSaved =
      this.#sealed.size === sealed.length &&
      sealed.every(
        (sum) => JSON.stringify(this.#sealed.get(sum.baseOffset)) === JSON.stringify(sum),
      )
    const { disk } = this.#host.env
    if (!isSaved && (await unlessFull(saveSealed(disk, this.#place.directory, sealed))))
      return sealed
    return [...this.#sealed.values()]
  }

  async #removeFiles(segment: Segment): Promise<void> {
    for (const path of segment.paths) {
      this.#host.files.drop(path)
      await this.#host.env.disk.removeFile(path)
    }
  }

  // --- both ----------------------------------------------------------------------------------

  /** It has the size that was written down when it was closed, or at the clean stop. */
  #isAsLeft({ baseOffset, log }: SegmentFiles): boolean {
    return log === (this.#knownOf(baseOffset)?.sizeBytes ?? 0)
  }

  /**
   * Index of the segment behind which one is missing that was written down when it was closed; -1: none is. It may
   * have been cut off rightly: the scan that begins there comes to the floor, or to the hole.
   */
  #lastBeforeHole(): number {
    const first = this.#files[0]?.baseOffset ?? 0
    const there = new Set(this.#files.map(({ baseOffset }) => baseOffset))
    const { closed } = this.#knowledge
    const known = [...this.#sealed.keys(), closed?.lastSegment.baseOffset ?? first]
    const missing = known.filter((offset) => offset > first && !there.has(offset))
    const hole = Math.min(...missing)
    return this.#files.findLastIndex(({ baseOffset }) => missing.length > 0 && baseOffset < hole)
  }

  #knownOf(baseOffset: number): SealedSegment | undefined {
    const last = this.#knowledge.closed?.lastSegment
    return last?.baseOffset === baseOffset ? last : this.#sealed.get(baseOffset)
  }

  /** A segment that is as `sealed` says and ends at `endOffset`. */
  #segmentOf(file: SegmentFiles, endOffset = file.baseOffset): Segment {
    const { directory } = this.#place
    const sizes = { index: file.index, timeIndex: file.timeindex }
    const place = { directory, baseOffset: file.baseOffset }
    const segment = new Segment(this.#host, place, sizes, this.#knownOf(file.baseOffset))
    segment.exists = true
    segment.nextOffset = endOffset
    return segment
  }

  /** A segment of which a scan shall find out everything. */
  #unscanned(file: SegmentFiles): Unscanned {
    const segment = this.#segmentOf(file)
    segment.reset()
    return { segment, fileSize: file.log }
  }

  #recovered(
    log: Pick<OpenedLog, 'segments' | 'logEndOffset' | 'epochs' | 'sealed'>,
    scanned: Pick<RecoveryReport, 'clean' | 'scannedBytes' | 'cutBytes'>,
  ): Recovered {
    const { identity, directory, compactedBelow, holes } = this.#place
    const { segments, logEndOffset, epochs } = log
    if (segments.length === 0) {
      segments.push(new Segment(this.#host, { directory, baseOffset: logEndOffset }))
    }
    assert(segments.at(-1)?.nextOffset === logEndOffset, 'a log ends where its active segment ends')
    epochs.cutEnd(logEndOffset)
    epochs.cutStart(this.#logStartOffset)
    const opened = {
      ...log,
      identity,
      directory,
      compactedBelow,
      holes,
      damages: [],
      logStartOffset: this.#logStartOffset,
    }
    const lost = logEndOffset < (this.#knowledge.highWatermark ?? 0)
    return { opened, report: { ...scanned, logEndOffset, lost } }
  }
}

/** It begins where no batch can: the segment before it ended elsewhere. */
function isOutOfLine({ size, baseOffset }: Segment, endOffset: number): boolean {
  return size === 0 && baseOffset !== endOffset
}

/** What is derived is not worth a partition that cannot be read: without it the next start scans. False: not saved. */
async function unlessFull(saving: Promise<void>): Promise<boolean> {
  try {
    await saving
    return true
  } catch (error) {
    if (!isNoSpace(error)) throw error
    return false
  }
}

const NOTHING_SCANNED = { clean: true, scannedBytes: 0, cutBytes: 0 }
