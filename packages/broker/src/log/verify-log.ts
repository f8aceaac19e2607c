// Is one partition in order? Enters: its directory. Leaves: lines; see verify.ts.
import type { Env, File } from '@minikafka/platform'
import { batchBaseOffsetAt, batchLastOffsetAt, batchLeaderEpochAt } from '@minikafka/protocol'
import { BatchChain } from './batch-chain.ts'
import type { ChainBreak } from './header-walk.ts'
import { headersCrcOf } from './headers-crc.ts'
import { type InspectLine, plain, trouble } from './inspect.ts'
import { LeaderEpochs, leaderEpochsPath } from './leader-epochs.ts'
import { type SegmentFiles, segmentsOf } from './log-files.ts'
import { readOffsetEntries } from './offset-index.ts'
import { regularFileSize } from './regular-file.ts'
import { loadSealed, type SealedSegment, sealedPath } from './sealed-segments.ts'
import { segmentPath } from './segment.ts'
import { inspectSegment } from './segment-inspection.ts'

export type LogToVerify = {
  readonly directory: string
  readonly compactedBelow: number
  readonly logStartOffset: number
  /** What is below has been on the disk. */
  readonly floor: number
  readonly deep: boolean
}

export async function* verifyLog(env: Env, log: LogToVerify): AsyncGenerator<InspectLine> {
  const { disk } = env
  const { directory, floor, logStartOffset } = log
  for (const path of [sealedPath(directory), leaderEpochsPath(directory)])
    await regularFileSize(disk, path)
  const segments = await segmentsOf(disk, directory, await disk.list(directory))
  const sealed = await loadSealed(disk, directory)
  const epochs = await LeaderEpochs.load(disk, directory)
  const hasBatches = segments.some((segment) => segment.log > 0)
  if (epochs === undefined && hasBatches) {
    yield trouble(
      `${leaderEpochsPath(directory)}: is missing or damaged; it is rebuilt at the next start`,
    )
  }
  const chain = new BatchChain(segments[0]?.baseOffset ?? logStartOffset, -1, log.compactedBelow)
  const check = new LogCheck(env, log, chain, epochs)
  for (const [index, segment] of segments.entries()) {
    yield* check.segment(segment, sealed.get(segment.baseOffset), index === segments.length - 1)
  }
  const end = chain.nextOffset
  if (end < floor && floor > logStartOffset && !check.broken) {
    yield trouble(
      `${directory}: ends at offset ${end}, but everything below ${floor} had been synced`,
    )
  }
  const bytes = segments.reduce((sum, segment) => sum + segment.log, 0)
  const start = Math.max(logStartOffset, segments[0]?.baseOffset ?? 0)
  const offsets = start === end ? `no records, next offset ${end}` : `offsets ${start}-${end - 1}`
  const count = segments.length === 1 ? '1 segment' : `${segments.length} segments`
  yield plain(`${directory}: ${offsets}, ${count}, ${bytes} bytes`)
}

class LogCheck {
  readonly #env: Env
  readonly #log: LogToVerify
  readonly #chain: BatchChain
  readonly #epochs: LeaderEpochs | undefined
  /** The segment before ended in a break, which was named: where it ends is not known. */
  broken = false

  constructor(env: Env, log: LogToVerify, chain: BatchChain, epochs: LeaderEpochs | undefined) {
    this.#env = env
    this.#log = log
    this.#chain = chain
    this.#epochs = epochs
  }

  async *segment(
    files: SegmentFiles,
    sealed: SealedSegment | undefined,
    isLast: boolean,
  ): AsyncGenerator<InspectLine> {
    const { directory, compactedBelow } = this.#log
    const path = segmentPath({ directory, baseOffset: files.baseOffset }, 'log')
    const { nextOffset } = this.#chain
    const mayLeaveGap = nextOffset < compactedBelow && files.baseOffset > nextOffset
    if (files.baseOffset !== nextOffset && !mayLeaveGap && !this.broken) {
      yield trouble(
        `${path}: begins at ${files.baseOffset}, the one before it ends at ${nextOffset}`,
      )
    }
    if (this.broken) this.#chain.leaderEpoch = -1
    this.broken = false
    this.#chain.nextOffset = files.baseOffset
    if (sealed === undefined && !isLast) {
      yield trouble(
        `${sealedPath(directory)}: has no line for ${path}; it is written at the next start`,
      )
    }
    const file = await this.#env.disk.open(path, 'read')
    try {
      yield* this.#batches(file, path, files, sealed)
    } finally {
      await file.close()
    }
  }

  async *#batches(
    file: File,
    path: string,
    files: SegmentFiles,
    sealed: SealedSegment | undefined,
  ): AsyncGenerator<InspectLine> {
    const { deep } = this.#log
    /** Base offset by position, for the index. */
    const places = new Map<number, number>()
    let headersCrc = 0
    for await (const fact of inspectSegment(file, files.log, this.#chain, deep)) {
      if (fact.kind === 'break') {
        this.broken = true
        return yield this.#breakLine(path, fact.at, files.log)
      }
      const { bytes, position, crcIsRight } = fact
      const baseOffset = batchBaseOffsetAt(bytes, 0)
      const where = `${path}: position ${position}, offset ${baseOffset}`
      if (crcIsRight === false) yield trouble(`${where}: the CRC of the batch does not fit`)
      if (this.#epochs && !this.#epochIsKnown(bytes)) {
        yield trouble(
          `${where}: its leader epoch ${batchLeaderEpochAt(bytes, 0)} is not in the checkpoint`,
        )
      }
      if (sealed && position < sealed.sizeBytes) headersCrc = headersCrcOf(bytes, 0, headersCrc)
      if (deep) places.set(position, baseOffset)
    }
    if (sealed && files.log >= sealed.sizeBytes && headersCrc !== sealed.headersCrc) {
      yield trouble(
        `${path}: the headers are not those that ${sealedPath(this.#log.directory)} has summed`,
      )
    }
    if (sealed && files.log < sealed.sizeBytes) {
      yield trouble(`${path}: has ${files.log} bytes, ${sealed.sizeBytes} when it was sealed`)
    }
    if (deep) yield* this.#index(files, places)
  }

  /** Below the floor a break is corruption; from there on it is a torn tail that the next start cuts. */
  #breakLine(path: string, { position, offset, reason }: ChainBreak, size: number): InspectLine {
    const where = `${path}: position ${position}, offset ${offset}: ${reason}`
    if (offset < this.#log.floor)
      return trouble(`${where}; it lies below ${this.#log.floor}, which had been synced`)
    return trouble(`${where}; a torn tail, the next start cuts ${size - position} bytes`)
  }

  #epochIsKnown(bytes: Buffer): boolean {
    const epoch = batchLeaderEpochAt(bytes, 0)
    // Epochs that ended below the log start are forgotten.
    if (batchLastOffsetAt(bytes, 0) < this.#log.logStartOffset) return true
    return this.#epochs?.entries.some((entry) => entry.epoch === epoch) === true
  }

  async *#index(
    { baseOffset: segmentBase }: SegmentFiles,
    places: ReadonlyMap<number, number>,
  ): AsyncGenerator<InspectLine> {
    const path = segmentPath({ directory: this.#log.directory, baseOffset: segmentBase }, 'index')
    const content = await this.#env.disk.readFile(path)
    for (const { entryPosition, offset, position } of readOffsetEntries(
      content ?? Buffer.alloc(0),
    )) {
      if (places.get(position) === segmentBase + offset) continue
      yield trouble(
        `${path}: position ${entryPosition}: no batch of offset ${segmentBase + offset} begins at ${position}; the index is rebuilt when it is used`,
      )
      return
    }
  }
}
