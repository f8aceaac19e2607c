// What a repair of one partition would do (REPLICATION 2.12.1): every place that is damaged, and what would be lost.
// Enters: the directory of a partition that no broker has open. Leaves: a plan; changes nothing.
import type { Env } from '@minikafka/platform'
import { batchMaxTimestampAt } from '@minikafka/protocol'
import { isSwapUnderWay } from './compaction/segment-swap.ts'
import type { Damage, Hole } from './damage.ts'
import { Floors } from './floors.ts'
import { headersCrcOf } from './headers-crc.ts'
import { LeaderEpochs } from './leader-epochs.ts'
import type { SegmentFiles } from './log-files.ts'
import { isTopicId, partitionKey } from './partition-key.ts'
import { loadPartitionMeta, type PartitionMeta, partitionMetaPath } from './partition-meta.ts'
import { type SealedSegment, saveSealed } from './sealed-segments.ts'
import { EXIT, StartError } from './start-error.ts'
import { Survey } from './survey.ts'

export type RepairPlan = {
  readonly directory: string
  readonly meta: PartitionMeta
  readonly segments: readonly SegmentFiles[]
  /** Where the log begins. */
  readonly logStartOffset: number
  /** Where it ends now, and where it must have ended at least. */
  readonly endOffset: number
  readonly knownEnd: number
  /** Ascending. Of a torn tail, which the next start cuts by itself, there is nothing here. */
  readonly damages: readonly Damage[]
  /** Offsets of which nothing is there: before the first segment, and behind the last batch. */
  readonly missing: readonly Hole[]
}

/** Errors: StartError where the directory is no partition. DiskError. */
export async function planRepair(env: Env, root: string, name: string): Promise<RepairPlan> {
  const directory = `${root}/${name}`
  const meta = await metaOf(env, directory)
  if (isSwapUnderWay(await env.disk.list(directory))) {
    const message =
      'a segment was being put in its place by compaction; start the broker once, which goes on with that, then repair'
    throw new StartError(EXIT.io, directory, message)
  }
  const key = partitionKey(meta.topicId, meta.partition)
  const floors = new Floors()
  for await (const _ of floors.load(env, root));
  const { compactedBelow, holes } = meta
  const epochs = await LeaderEpochs.load(env.disk, directory)
  const rules = { compactedBelow, holes, epochs }
  const about = { rules, logStartOffset: floors.logStart(key), depth: 'sums' } as const
  const survey = await Survey.begin(env, directory, about)
  const logStartOffset = about.logStartOffset ?? survey.segments[0]?.baseOffset ?? 0
  const knownEnd = floors.knownEnd(key)
  const { isTorn, ...found } = await find(survey, floors.floor(key))
  const { segments } = survey
  const tail = { fromOffset: found.endOffset, nextOffset: knownEnd }
  // What the next start cuts may be given again: a hole there would swallow the records that come.
  const isShort = !isTorn && found.endOffset < knownEnd && knownEnd > logStartOffset
  const missing = isShort ? [...found.missing, tail] : found.missing
  return { directory, meta, segments, logStartOffset, knownEnd, ...found, missing }
}

/** Writes `sealed` for what lies there after a repair. Errors: DiskError. */
export async function sumAnew(env: Env, { directory, meta }: RepairPlan): Promise<void> {
  const { compactedBelow } = meta
  const after = await loadPartitionMeta(env.disk, directory)
  const holes = typeof after === 'object' ? after.holes : meta.holes
  const epochs = await LeaderEpochs.load(env.disk, directory)
  const rules = { compactedBelow, holes, epochs }
  const survey = await Survey.begin(env, directory, {
    rules,
    logStartOffset: undefined,
    depth: 'headers',
  })
  const sums: SealedSegment[] = []
  let headersCrc = 0
  let maxTimestamp = -1
  for await (const fact of survey.facts()) {
    if (fact.kind === 'batch') {
      headersCrc = headersCrcOf(fact.bytes, 0, headersCrc)
      maxTimestamp = Math.max(maxTimestamp, batchMaxTimestampAt(fact.bytes))
    }
    if (fact.kind !== 'end') continue
    const { baseOffset, log: sizeBytes } = fact.files
    sums.push({ baseOffset, sizeBytes, headersCrc, maxTimestamp })
    headersCrc = 0
    maxTimestamp = -1
  }
  await saveSealed(env.disk, directory, sums.slice(0, -1))
}

async function metaOf(env: Env, directory: string): Promise<PartitionMeta> {
  const stat = await env.disk.stat(directory)
  if (stat?.kind !== 'directory') throw new StartError(EXIT.io, directory, 'is no partition')
  const meta = await loadPartitionMeta(env.disk, directory)
  if (typeof meta === 'object' && isTopicId(meta.topicId)) return meta
  const why = meta ?? 'is missing'
  throw new StartError(
    EXIT.io,
    partitionMetaPath(directory),
    `${why}; restore it from a copy first`,
  )
}

async function find(
  survey: Survey,
  floor: number | undefined,
): Promise<Pick<RepairPlan, 'damages' | 'missing' | 'endOffset'> & { isTorn: boolean }> {
  const damages: Damage[] = []
  const missing: Hole[] = []
  for await (const fact of survey.facts()) {
    if (fact.kind === 'gap')
      missing.push({ fromOffset: fact.fromOffset, nextOffset: fact.nextOffset })
    if (fact.kind !== 'damage') continue
    // From the floor on it is a torn tail: whatever follows goes with it.
    const { fromOffset } = fact.damage
    if (floor !== undefined && fromOffset >= floor)
      return { damages, missing, endOffset: fromOffset, isTorn: true }
    damages.push(fact.damage)
  }
  return { damages, missing, endOffset: survey.endOffset, isTorn: false }
}
