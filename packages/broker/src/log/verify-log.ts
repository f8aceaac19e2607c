// Is one partition in order? Enters: its directory. Leaves: lines; see verify.ts.
import type { Env } from '@minikafka/platform'
import { checkedBody } from './checked-text.ts'
import { compactedNotePath } from './compaction/compacted-note.ts'
import { isSwapUnderWay } from './compaction/segment-swap.ts'
import { type Damage, type Hole, offsetsText } from './damage.ts'
import { damageNotePath } from './damage-note.ts'
import { headersCrcOf } from './headers-crc.ts'
import { IndexCheck } from './index-check.ts'
import { type InspectLine, plain, trouble } from './inspect.ts'
import { LeaderEpochs, leaderEpochsPath } from './leader-epochs.ts'
import { PRODUCER_SNAPSHOT, type SegmentFiles } from './log-files.ts'
import { regularFileSize } from './regular-file.ts'
import { loadSealed, type SealedSegment, sealedPath } from './sealed-segments.ts'
import { segmentPath } from './segment.ts'
import { Survey, type Surveyed } from './survey.ts'

export type LogToVerify = {
  readonly directory: string
  readonly compactedBelow: number
  readonly holes: readonly Hole[]
  /** undefined: not known; the log begins with its first segment. */
  readonly logStartOffset: number | undefined
  /** What is below has been on the disk; undefined: nobody knows, so that all may have been. */
  readonly floor: number | undefined
  readonly deep: boolean
}

export async function* verifyLog(env: Env, log: LogToVerify): AsyncGenerator<InspectLine> {
  const { disk } = env
  const { directory, compactedBelow, holes, logStartOffset, deep } = log
  yield* verifySideFiles(env, directory)
  if (isSwapUnderWay(await disk.list(directory)))
    yield plain(
      `${directory}: a segment was being put in its place by compaction; the next start goes on with that`,
    )
  const sealed = await loadSealed(disk, directory)
  const epochs = await LeaderEpochs.load(disk, directory)
  const options = { rules: { compactedBelow, holes, epochs }, logStartOffset }
  const survey = await Survey.begin(env, directory, {
    ...options,
    depth: deep ? 'sums' : 'headers',
  })
  if (epochs === undefined && survey.segments.some((segment) => segment.log > 0))
    yield trouble(
      `${leaderEpochsPath(directory)}: is missing or damaged; it is rebuilt at the next start`,
    )
  for (const hole of holes)
    yield plain(`${directory}: ${offsetsText(hole)} were given up by a repair`)
  const check = new LogCheck(env, log, sealed)
  for await (const fact of survey.facts()) yield* check.fact(fact)
  yield* check.end(survey)
}

/** What is derived, or only hastens a start. */
async function* verifySideFiles(env: Env, directory: string): AsyncGenerator<InspectLine> {
  const { disk } = env
  const snapshot = `${directory}/${PRODUCER_SNAPSHOT}`
  for (const [path, then] of [
    [sealedPath(directory), 'segments are scanned and it is written again at the next start'],
    [snapshot, 'all batch headers are replayed at the next start'],
    [damageNotePath(directory), 'what it named is found again when it is read'],
    [compactedNotePath(directory), 'the next compaction goes over all of the log'],
  ] as const) {
    await regularFileSize(disk, path)
    const content = await disk.readFile(path)
    if (content !== undefined && checkedBody(content) === undefined)
      yield trouble(`${path}: its checksum does not fit; ${then}`)
  }
  await regularFileSize(disk, leaderEpochsPath(directory))
}

class LogCheck {
  readonly #env: Env
  readonly #log: LogToVerify
  readonly #sealed: ReadonlyMap<number, SealedSegment>
  /** Of the segment that is looked through. */
  #path = ''
  #headersCrc = 0
  #hasDamage = false
  #index: IndexCheck | undefined
  /** Bytes from the first torn batch on: the next start cuts them, whatever they are. */
  #tornFrom: Damage | undefined
  #tornBytes = 0

  constructor(env: Env, log: LogToVerify, sealed: ReadonlyMap<number, SealedSegment>) {
    this.#env = env
    this.#log = log
    this.#sealed = sealed
  }

  async *fact(fact: Surveyed): AsyncGenerator<InspectLine> {
    if (fact.kind === 'begin') yield* this.#begin(fact.files, fact.isLast)
    else if (this.#tornFrom !== undefined) return
    else if (fact.kind === 'gap') yield this.#gapLine(fact)
    else if (fact.kind === 'batch') this.#batch(fact.bytes, fact.position)
    else if (fact.kind === 'damage') yield* this.#damage(fact.damage)
    else yield* this.#endOf(fact.files)
  }

  async *#begin(files: SegmentFiles, isLast: boolean): AsyncGenerator<InspectLine> {
    if (this.#tornFrom !== undefined) {
      this.#tornBytes += files.log
      return
    }
    const { directory, deep } = this.#log
    this.#path = segmentPath({ directory, baseOffset: files.baseOffset }, 'log')
    this.#headersCrc = 0
    this.#hasDamage = false
    this.#index = deep ? await IndexCheck.begin(this.#env.disk, directory, files) : undefined
    if (isLast || this.#sealed.has(files.baseOffset)) return
    const sealed = sealedPath(directory)
    yield trouble(`${sealed}: has no line for ${this.#path}; it is written at the next start`)
  }

  #batch(bytes: Buffer, position: number): void {
    this.#headersCrc = headersCrcOf(bytes, 0, this.#headersCrc)
    this.#index?.batch(bytes, position)
  }

  /** Below the floor it is corruption; from there on it is a torn tail that the next start cuts. */
  *#damage(damage: Damage): Generator<InspectLine> {
    const { floor } = this.#log
    const { position, fromOffset, reason } = damage
    this.#hasDamage = true
    if (floor !== undefined && fromOffset >= floor) {
      this.#tornFrom = damage
      return
    }
    const where = `${this.#path}: position ${position}, offset ${fromOffset}: ${reason}`
    const why =
      floor === undefined
        ? 'and how far it had been synced is not known'
        : `for all below ${floor} had been synced`
    yield trouble(`${where}; corruption of ${offsetsText(damage)}, ${why}; ${this.#cure()}`)
  }

  #gapLine(gap: Hole & { readonly path: string }): InspectLine {
    const { path, fromOffset, nextOffset } = gap
    const where = `${path}: begins at ${nextOffset}, the log at ${fromOffset}`
    return trouble(`${where}; corruption: ${offsetsText(gap)} are missing; ${this.#cure()}`)
  }

  *#endOf(files: SegmentFiles): Generator<InspectLine> {
    if (this.#tornFrom !== undefined) return
    const sealed = this.#sealed.get(files.baseOffset)
    if (sealed !== undefined && files.log < sealed.sizeBytes) {
      yield trouble(`${this.#path}: has ${files.log} bytes, ${sealed.sizeBytes} when it was sealed`)
    } else if (sealed !== undefined && !this.#hasDamage && this.#headersCrc !== sealed.headersCrc) {
      yield trouble(
        `${this.#path}: corruption: the headers are not those that ${sealedPath(this.#log.directory)} has summed`,
      )
    }
    // Behind damage an entry may be right and its batch not.
    if (this.#hasDamage) return
    this.#index?.end()
    for (const problem of this.#index?.problems ?? []) yield trouble(problem)
  }

  *end({ segments, endOffset }: Survey): Generator<InspectLine> {
    const { directory, floor } = this.#log
    const logStartOffset = this.#log.logStartOffset ?? 0
    const torn = this.#tornFrom
    if (torn !== undefined) yield this.#tornLine(torn, segments)
    const end = torn?.fromOffset ?? endOffset
    if (floor !== undefined && end < floor && floor > logStartOffset) {
      const missing = offsetsText({ fromOffset: end, nextOffset: floor })
      yield trouble(
        `${directory}: ends at offset ${end}, but everything below ${floor} had been synced; corruption: ${missing} are missing; ${this.#cure()}`,
      )
    }
    const bytes = segments.reduce((sum, segment) => sum + segment.log, 0)
    const start = Math.max(logStartOffset, segments[0]?.baseOffset ?? 0)
    const offsets = start >= end ? `no records, next offset ${end}` : `offsets ${start}-${end - 1}`
    const count = segments.length === 1 ? '1 segment' : `${segments.length} segments`
    yield plain(`${directory}: ${offsets}, ${count}, ${bytes} bytes`)
  }

  #tornLine(
    { segmentBase, position, fromOffset, reason }: Damage,
    segments: readonly SegmentFiles[],
  ): InspectLine {
    const size = segments.find(({ baseOffset }) => baseOffset === segmentBase)?.log ?? 0
    const cutBytes = size - position + this.#tornBytes
    const where = `${this.#path}: position ${position}, offset ${fromOffset}: ${reason}`
    return trouble(`${where}; a torn tail, the next start cuts ${cutBytes} bytes`)
  }

  #cure(): string {
    const [, root, name] = /^(.*)\/([^/]+)$/.exec(this.#log.directory) ?? []
    return `restore the file from a copy, or run minikafka-broker repair ${root} ${name}`
  }
}
