// What is known of one log; its writer, its group commit, its reader and its retention share it.
import { assert } from '@minikafka/platform'
import { MinikafkaError } from '@minikafka/protocol'
import { BadRanges } from './bad-ranges.ts'
import type { ChainRules } from './batch-chain.ts'
import { type Damage, type Hole, offsetsText } from './damage.ts'
import type { LeaderEpochs } from './leader-epochs.ts'
import type { LogIdentity, LogListener, LogSettings } from './log-types.ts'
import type { SealedSegment } from './sealed-segments.ts'
import { type Segment, segmentPath } from './segment.ts'
import type { LogTail } from './tail.ts'

export type OpenedLog = {
  readonly identity: LogIdentity
  readonly directory: string
  readonly epochs: LeaderEpochs
  /** Ascending; the last one is active, and may have no file yet. */
  readonly segments: Segment[]
  readonly logStartOffset: number
  /** All below is on the disk. */
  readonly logEndOffset: number
  readonly compactedBelow: number
  readonly holes: readonly Hole[]
  /** Found by the last run, and still there. */
  readonly damages: readonly Damage[]
  /** What the file `sealed` says now. */
  readonly sealed: readonly SealedSegment[]
}

export class LogState {
  readonly identity: LogIdentity
  readonly directory: string
  readonly epochs: LeaderEpochs
  readonly listener: LogListener
  settings: LogSettings
  /** What every header of it must fit. */
  rules: ChainRules
  /** What of it cannot be read. */
  readonly bad: BadRanges
  /** Invariant: ascending, never empty; only the last one, the active, grows. */
  segments: Segment[]
  /** Invariant I8: logStartOffset <= logEndOffset, durableEndOffset <= logEndOffset. */
  logStartOffset: number
  logEndOffset: number
  durableEndOffset: number
  /** Made when the first batch is kept: an idle log has none. */
  tail: LogTail | undefined
  /** Why nothing works any more: closed, or the directory failed. */
  dead: Error | undefined

  constructor(opened: OpenedLog, settings: LogSettings, listener: LogListener) {
    assert(opened.segments.length > 0, 'a log has an active segment')
    assert(opened.logStartOffset <= opened.logEndOffset, 'a log begins before it ends')
    this.identity = opened.identity
    this.directory = opened.directory
    this.epochs = opened.epochs
    this.segments = opened.segments
    this.logStartOffset = opened.logStartOffset
    this.logEndOffset = opened.logEndOffset
    this.durableEndOffset = opened.logEndOffset
    const { compactedBelow, holes, epochs } = opened
    this.rules = { compactedBelow, holes, epochs }
    this.bad = new BadRanges(holes)
    for (const damage of opened.damages) this.bad.mark(damage)
    this.settings = settings
    this.listener = listener
  }

  get name(): string {
    return `${this.identity.topic}-${this.identity.partition}`
  }

  get active(): Segment {
    return this.segments[this.segments.length - 1] as Segment
  }

  get sizeBytes(): number {
    let bytes = 0
    for (const segment of this.segments) bytes += segment.size
    return bytes
  }

  /** Index of the segment that holds `offset` or would. */
  segmentIndexOf(offset: number): number {
    let low = 0
    let high = this.segments.length - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if ((this.segments[middle] as Segment).baseOffset <= offset) low = middle
      else high = middle - 1
    }
    return low
  }

  /** See `storageErrorOf`. */
  storageError(message: string, at: ErrorPlace = {}): MinikafkaError {
    return storageErrorOf(this.identity, message, at)
  }

  /** Which offsets cannot be read and why. */
  unreadable(bad: Hole | Damage): MinikafkaError {
    const { topic, partition } = this.identity
    const { fromOffset, nextOffset } = bad
    return new MinikafkaError('KAFKA_STORAGE_ERROR', {
      message: `${this.name}: ${offsetsText(bad)} cannot be read: ${this.#whyBad(bad)}`,
      topic,
      partition,
      offset: fromOffset,
      details: { fromOffset, nextOffset },
    })
  }

  #whyBad(bad: Hole | Damage): string {
    if (!('position' in bad))
      return 'they were given up by a repair. What lies before and behind can be read.'
    const path = segmentPath({ directory: this.directory, baseOffset: bad.segmentBase }, 'log')
    return `${path} is damaged at byte ${bad.position}, ${bad.reason}. What lies before and behind can be read; ${CURE}`
  }

  outOfRange(offset: number): MinikafkaError {
    const { logStartOffset, logEndOffset } = this
    return new MinikafkaError('OFFSET_OUT_OF_RANGE', {
      message: `${this.name} holds offsets ${logStartOffset} to ${logEndOffset}, not ${offset}.`,
      topic: this.identity.topic,
      partition: this.identity.partition,
      offset,
      details: { logStartOffset, logEndOffset },
    })
  }
}

/** What a person can do about damage of the only copy. */
export const CURE =
  'stop the broker and restore the file from a copy, or run minikafka-broker repair'

export type ErrorPlace = { readonly offset?: number; readonly cause?: unknown }

/** KAFKA_STORAGE_ERROR that names the partition. */
export function storageErrorOf(
  { topic, partition }: LogIdentity,
  message: string,
  { offset, cause }: ErrorPlace = {},
): MinikafkaError {
  return new MinikafkaError(
    'KAFKA_STORAGE_ERROR',
    { message: `${topic}-${partition}: ${message}`, topic, partition, offset },
    cause === undefined ? undefined : { cause },
  )
}
