// `repair`: makes a damaged log whole again, at the price of what is damaged (REPLICATION 2.12.1). Never by itself.
// Enters: a plan that somebody agreed to. Leaves: a log that verifies and opens; of each file that changed, a copy.
//
// Cut: copy, rename away what comes behind, forget the holes there, lower the floors, cut. A hole: copy, write the segment
// without the damaged bytes beside it, make the segment that the log goes on with where the hole is at its end, enter the
// hole in partition.meta, put the new file in place. A crash between any two steps leaves a log
// that stays offline and can be repaired again, or one that is repaired; copies may be there twice.
import { DiskError, type Env, type File, type Lock } from '@minikafka/platform'
import { type Damage, type Hole, offsetsText } from './damage.ts'
import { damageNotePath } from './damage-note.ts'
import {
  cleanShutdownPath,
  loadCleanShutdown,
  loadDirectoryMeta,
  saveCleanShutdown,
} from './directory-meta.ts'
import { OffsetCheckpoint } from './offset-checkpoint.ts'
import { isPartitionDirectoryName, partitionKey } from './partition-key.ts'
import { savePartitionMeta } from './partition-meta.ts'
import { planRepair, type RepairPlan, sumAnew } from './repair-plan.ts'
import { sealedPath } from './sealed-segments.ts'
import { segmentPath } from './segment.ts'
import { EXIT, StartError } from './start-error.ts'
import { SyncedFile } from './synced-file.ts'
import { lockForTool } from './verify.ts'

export type RepairWay = 'truncate' | 'keep-hole'

const COPY_BYTES = 1024 * 1024

/** One repair: look, ask, do. The data directory is locked until it is closed. */
export class Repair {
  readonly plan: RepairPlan
  readonly #env: Env
  readonly #root: string
  readonly #lock: Lock
  /** Ends the names of copies. */
  readonly #suffix: string

  private constructor(env: Env, root: string, lock: Lock, plan: RepairPlan) {
    this.#env = env
    this.#root = root
    this.#lock = lock
    this.plan = plan
    this.#suffix = `.corrupt-${env.clock.wallMs()}`
  }

  /** Errors: StartError: in use (69), no partition, or a file that a repair cannot mend (74). */
  static async open(env: Env, root: string, name: string): Promise<Repair> {
    const lock = await lockForTool(env, root)
    try {
      if (!isPartitionDirectoryName(name))
        throw new StartError(EXIT.io, `${root}/${name}`, 'is no partition, like orders-0')
      return new Repair(env, root, lock, await planRepair(env, root, name))
    } catch (error) {
      await lock.release()
      throw toolError(error)
    }
  }

  /** Nothing is wrong that a repair could mend. */
  get isNeedless(): boolean {
    return this.plan.damages.length === 0 && this.plan.missing.length === 0
  }

  /** What is lost, for a person. */
  words(way: RepairWay): string[] {
    const { directory, damages, missing } = this.plan
    const places = damages.map((damage) => this.#placeText(damage))
    const gaps = missing.map((hole) => `${directory}: ${offsetsText(hole)} are missing`)
    const lost = this.#lost(way)
    const count = lost.reduce((sum, { fromOffset, nextOffset }) => sum + nextOffset - fromOffset, 0)
    const ranges = lost.length === 0 ? 'no record' : lost.map(offsetsText).join(', ')
    const cut = way === 'truncate' ? `, and the log ends at offset ${this.#cutOffset()}` : ''
    return [...places, ...gaps, `--${way}: ${ranges} will be lost (${count} offsets)${cut}`]
  }

  /** Errors: StartError with what the disk said; it can be run again then. Returns copies that were made. */
  async run(way: RepairWay): Promise<string[]> {
    try {
      await this.#forgetCleanStop()
      const copies = way === 'truncate' ? await this.#truncate() : await this.#keepHoles()
      await sumAnew(this.#env, this.plan)
      return copies
    } catch (error) {
      throw toolError(error)
    }
  }

  async close(): Promise<void> {
    await this.#lock.release()
  }

  // --- words ---------------------------------------------------------------------------------

  #placeText(damage: Damage): string {
    const { position, endPosition, reason } = damage
    const bytes =
      position === endPosition ? `byte ${position}` : `bytes ${position} to ${endPosition - 1}`
    return `${this.#pathOf(damage.segmentBase)}: ${bytes}: ${reason}; ${offsetsText(damage)}`
  }

  #lost(way: RepairWay): Hole[] {
    const { logStartOffset, endOffset, knownEnd } = this.plan
    const all = { fromOffset: this.#cutOffset(), nextOffset: Math.max(endOffset, knownEnd) }
    const ranges = way === 'truncate' ? [all] : this.#holes()
    return ranges
      .map((hole) => ({ ...hole, fromOffset: Math.max(hole.fromOffset, logStartOffset) }))
      .filter(({ fromOffset, nextOffset }) => fromOffset < nextOffset)
  }

  #cutOffset(): number {
    const { missing } = this.plan
    return this.#cutDamage()?.fromOffset ?? missing[0]?.fromOffset ?? this.plan.endOffset
  }

  /** The first damage in the files; undefined: what is missing comes before it, or there is none. */
  #cutDamage(): Damage | undefined {
    const [first] = this.plan.damages
    const isGapFirst = this.plan.missing.some(
      ({ nextOffset }) => first !== undefined && nextOffset <= first.fromOffset,
    )
    return isGapFirst ? undefined : first
  }

  /** Joined where they touch; of damage at the very end nobody knows how far it reached but by the checkpoints. */
  #holes(): Hole[] {
    const { meta, damages, missing } = this.plan
    const sorted = [...meta.holes, ...damages, ...missing]
      .map(({ fromOffset, nextOffset }) => ({ fromOffset, nextOffset }))
      .filter(({ fromOffset, nextOffset }) => fromOffset < nextOffset)
      .sort((one, other) => one.fromOffset - other.fromOffset)
    const holes: Hole[] = []
    for (const hole of sorted) {
      const last = holes.at(-1)
      if (last === undefined || hole.fromOffset > last.nextOffset) holes.push(hole)
      else
        holes[holes.length - 1] = {
          ...last,
          nextOffset: Math.max(last.nextOffset, hole.nextOffset),
        }
    }
    return holes
  }

  // --- a cut ---------------------------------------------------------------------------------

  async #truncate(): Promise<string[]> {
    const { directory, segments } = this.plan
    const offset = this.#cutOffset()
    const place = this.#cutDamage()
    const copies: string[] = []
    const cutsHolder = place !== undefined && place.position > 0
    if (cutsHolder) copies.push(await this.#copy(place.segmentBase))
    // Not by offsets: what is damaged may reach into the next segment, or stand where that one begins.
    const keepsTo = place === undefined ? offset : place.segmentBase - (cutsHolder ? 0 : 1)
    const goes = segments.filter(({ baseOffset }) => baseOffset > keepsTo)
    // From the end, so that a crash on the way leaves no hole.
    for (const { baseOffset } of goes.reverse()) copies.push(await this.#renameAway(baseOffset))
    await this.#removeDerived()
    await this.#env.disk.syncDirectory(directory)
    await this.#forgetHolesFrom(offset)
    await this.#lowerFloors(offset)
    if (cutsHolder) await this.#cut(place.segmentBase, place.position)
    return copies
  }

  /** Records will come there again, and are to be served. */
  async #forgetHolesFrom(offset: number): Promise<void> {
    const { directory, meta } = this.plan
    const holes = meta.holes
      .filter(({ fromOffset }) => fromOffset < offset)
      .map((hole) => ({ ...hole, nextOffset: Math.min(hole.nextOffset, offset) }))
    await savePartitionMeta(this.#env.disk, directory, { ...meta, holes })
  }

  async #cut(baseOffset: number, position: number): Promise<void> {
    const file = await this.#env.disk.open(this.#pathOf(baseOffset), 'write')
    try {
      await file.truncate(position)
      await file.sync()
    } finally {
      await file.close()
    }
  }

  /** What is below them counts as synced; the high watermark would count as lost for ever. */
  async #lowerFloors(offset: number): Promise<void> {
    const { disk } = this.#env
    const { topicId, partition } = this.plan.meta
    const key = partitionKey(topicId, partition)
    for (const name of ['recovery-point', 'hw-checkpoint', 'log-start-offset'] as const) {
      const checkpoint = await OffsetCheckpoint.load(disk, this.#root, name)
      const known = checkpoint.get(key)
      const isLower = typeof known === 'number' && known <= offset
      if (known === undefined || isLower) continue
      checkpoint.set(key, offset)
      await checkpoint.save()
    }
    let failure: unknown
    const synced = await SyncedFile.open(this.#env, `${this.#root}/synced`, (error) => {
      failure = error
    })
    const known = synced.get(key)
    if (known !== undefined && known > offset) await synced.lower(topicId, partition, offset)
    await synced.close()
    if (failure !== undefined) throw failure
  }

  // --- holes ---------------------------------------------------------------------------------

  async #keepHoles(): Promise<string[]> {
    const { directory, meta, damages, segments } = this.plan
    const hurt = segments.filter((files) => this.#badBytesIn(files.baseOffset).length > 0)
    const copies: string[] = []
    for (const { baseOffset } of hurt) {
      copies.push(await this.#copy(baseOffset))
      await this.#writeWithout(baseOffset)
    }
    await this.#endWithSegment()
    await savePartitionMeta(this.#env.disk, directory, { ...meta, holes: this.#holes() })
    for (const { baseOffset } of hurt) await this.#putInPlace(baseOffset)
    await this.#removeDerived()
    await this.#env.disk.syncDirectory(directory)
    return damages.length === 0 ? [] : copies
  }

  #badBytesIn(baseOffset: number): readonly Damage[] {
    return this.plan.damages.filter(
      ({ segmentBase, position, endPosition }) =>
        segmentBase === baseOffset && position < endPosition,
    )
  }

  async #writeWithout(baseOffset: number): Promise<void> {
    const from = this.#pathOf(baseOffset)
    const size = this.plan.segments.find((files) => files.baseOffset === baseOffset)?.log ?? 0
    const bad = this.#badBytesIn(baseOffset)
    const starts = [0, ...bad.map(({ endPosition }) => endPosition)]
    const ends = [...bad.map(({ position }) => position), size]
    const ranges = starts.map((start, index) => ({ start, end: ends[index] ?? size }))
    await this.#write(from, repairedPath(from), ranges)
  }

  /** A segment of which nothing is left goes, unless offsets begin with it that were never given. */
  async #putInPlace(baseOffset: number): Promise<void> {
    const { disk } = this.#env
    const path = this.#pathOf(baseOffset)
    const stat = await disk.stat(repairedPath(path))
    if (stat?.size !== 0) return disk.rename(repairedPath(path), path)
    await disk.removeFile(path)
    await disk.removeFile(repairedPath(path))
  }

  /** The log ends behind its last hole: a new record must not get an offset that was given before. */
  async #endWithSegment(): Promise<void> {
    const end = this.#holes().at(-1)?.nextOffset ?? 0
    const { endOffset, knownEnd, damages } = this.plan
    const isAtEnd =
      end >= Math.max(endOffset, knownEnd) && this.#lost('keep-hole').length + damages.length > 0
    if (!isAtEnd) return
    const path = this.#pathOf(end)
    if ((await this.#env.disk.stat(path)) !== undefined) return
    const file = await this.#env.disk.open(path, 'create')
    await file.sync()
    await file.close()
    await this.#env.disk.syncDirectory(this.plan.directory)
  }

  // --- both ----------------------------------------------------------------------------------

  /** The mark says of each log how it was left: this one is to be scanned. */
  async #forgetCleanStop(): Promise<void> {
    const { disk } = this.#env
    const { topicId, partition } = this.plan.meta
    const meta = await loadDirectoryMeta(disk, this.#root)
    const mark = meta && (await loadCleanShutdown(disk, this.#root, meta.dirId))
    if (mark === undefined) return disk.removeFile(cleanShutdownPath(this.#root))
    const logs = new Map(mark.logs)
    if (logs.delete(partitionKey(topicId, partition)))
      await saveCleanShutdown(disk, this.#root, { ...mark, logs })
  }

  /** Indexes of other segments are right, and would be rebuilt if they were not. */
  async #removeDerived(): Promise<void> {
    const { disk } = this.#env
    const { directory, damages } = this.plan
    for (const { segmentBase } of damages) {
      for (const extension of ['index', 'timeindex'] as const)
        await disk.removeFile(segmentPath({ directory, baseOffset: segmentBase }, extension))
    }
    // It is written anew when all else is done; without it segments are scanned.
    await disk.removeFile(sealedPath(directory))
    await disk.removeFile(damageNotePath(directory))
  }

  async #copy(baseOffset: number): Promise<string> {
    const from = this.#pathOf(baseOffset)
    const size = this.plan.segments.find((files) => files.baseOffset === baseOffset)?.log ?? 0
    const to = from + this.#suffix
    await this.#write(from, to, [{ start: 0, end: size }])
    await this.#env.disk.syncDirectory(this.plan.directory)
    return to
  }

  async #renameAway(baseOffset: number): Promise<string> {
    const { directory } = this.plan
    const path = this.#pathOf(baseOffset)
    await this.#env.disk.rename(path, path + this.#suffix)
    for (const extension of ['index', 'timeindex'] as const)
      await this.#env.disk.removeFile(segmentPath({ directory, baseOffset }, extension))
    return path + this.#suffix
  }

  /** Parts of one file, one behind the other, in another; durable but for its name. */
  async #write(
    from: string,
    to: string,
    ranges: readonly { readonly start: number; readonly end: number }[],
  ): Promise<void> {
    const { disk } = this.#env
    await disk.removeFile(to)
    const source = await disk.open(from, 'read')
    try {
      const target = await disk.open(to, 'create')
      try {
        let size = 0
        for (const range of ranges) size = await copyRange(source, target, range, size)
        await target.sync()
      } finally {
        await target.close()
      }
    } finally {
      await source.close()
    }
  }

  #pathOf(baseOffset: number): string {
    return segmentPath({ directory: this.plan.directory, baseOffset }, 'log')
  }
}

/** Removed at a start where a crash left it. */
function repairedPath(path: string): string {
  return `${path}.repaired.tmp`
}

async function copyRange(
  source: File,
  target: File,
  { start, end }: { readonly start: number; readonly end: number },
  to: number,
): Promise<number> {
  const buffer = Buffer.allocUnsafeSlow(Math.max(1, Math.min(COPY_BYTES, end - start)))
  let position = start
  while (position < end) {
    const part = buffer.subarray(0, Math.min(buffer.length, end - position))
    const read = await source.read(part, position)
    if (read === 0) break
    await target.append([part.subarray(0, read)], to + position - start)
    position += read
  }
  return to + position - start
}

function toolError(error: unknown): unknown {
  if (!(error instanceof DiskError)) return error
  return new StartError(EXIT.io, error.path ?? '', error.message, { cause: error })
}
