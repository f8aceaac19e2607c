// What the log and those who use it say to each other. Enters: settings, a listener. Leaves: slices, reports.
import type { DiskError, Logger } from '@minikafka/platform'

export type FlushPolicy = 'group' | 'interval' | 'os'

/** Frozen, resolved for one topic; `Log.configure` swaps it. Names are the topic settings'. */
export type LogSettings = {
  readonly segmentBytes: number
  readonly segmentMs: number
  /** -1: no limit. */
  readonly retentionMs: number
  /** -1: no limit. */
  readonly retentionBytes: number
  /** Age and size remove segments; without it the log is only compacted. */
  readonly deletes: boolean
  /** How long tombstones stay from their first compaction on. */
  readonly deleteRetentionMs: number
  /** Records younger than so much are not compacted. */
  readonly minCompactionLagMs: number
  /** A record waits no longer for its compaction; undefined: as long as it likes. */
  readonly maxCompactionLagMs: number | undefined
  readonly flush: FlushPolicy
  /** With flush=interval. */
  readonly flushMs: number
  /** How long the files of removed segments and topics stay. */
  readonly deleteDelayMs: number
  /** Bytes of batches between two index entries; 4,096 unless a test says otherwise. */
  readonly indexIntervalBytes: number
}

/** Told synchronously; must be cheap and must not throw. */
export type LogListener = {
  /** logEndOffset or durableEndOffset moved. */
  advanced(): void
  /**
   * A write failed (disk full). Everything from `fromOffset` on is cut and its outcome unknown; the log
   * is usable again and gives `fromOffset` next. Never called from within `enqueue`.
   */
  writeFailed(fromOffset: number, error: DiskError): void
  /**
   * Records are about to go from the front, all of them written: what is known from their headers only is kept first.
   * The log start stays where it is where this rejects.
   */
  startMoves?(): Promise<void>
  /** A segment was closed and is durable: what is known from its headers only may be kept. The log is closed after it. */
  rolled?(): Promise<void>
  /** It is closed in order, all is durable: what the next opening shall tell, where nothing comes in between. Small JSON. */
  closing?(): unknown
  /** The data directory failed (REPLICATION 2.12.3): no more appends, syncs and reads. */
  offline(error: Error): void
}

/** Whole batches in offset order. The views stay valid as long as they are held; where they are lent, see `Log.lend`. */
export type LogSlice = {
  readonly buffers: readonly Uint8Array[]
  readonly bytes: number
  /** Offset after the last batch here; where nothing was read, the offset asked for. */
  readonly nextOffset: number
  /** The memory of `buffers` is held once in the pool of the frames, for who takes the slice. */
  readonly isHeld?: boolean
}

export type LogIdentity = {
  readonly topic: string
  /** UUID, lower-case text. The identity: the topic's name may come to mean another topic. */
  readonly topicId: string
  readonly partition: number
}

/** What opening a log found (REPLICATION 2.12.1). */
export type RecoveryReport = {
  /** Nothing was scanned: the last stop was clean. */
  readonly clean: boolean
  readonly logEndOffset: number
  /** Bytes of batches whose CRC was checked. */
  readonly scannedBytes: number
  /** A torn tail: bytes cut from the first invalid batch on, later segments included. */
  readonly cutBytes: number
  /** The log ends below the checkpointed high watermark: committed data is lost here. */
  readonly lost: boolean
}

/** A partition that was found in the data directory, by its `partition.meta`. */
export type FoundPartition = LogIdentity & { readonly directoryName: string }

export type DataDirectoryOptions = {
  readonly path: string
  readonly nodeId: number
  /** Used when the directory is new. */
  readonly clusterIdIfNew: string
  readonly tailBytesMax: number
  readonly filesOpenMax: number
  readonly logger: Logger
}

export type OpenLogOptions = LogIdentity & {
  readonly settings: LogSettings
  readonly listener: LogListener
  /** Asked when `hw-checkpoint` is written. */
  readonly highWatermark: () => number
  /** During a scan: bytes checked so far, of how many. */
  readonly onProgress?: ((doneBytes: number, totalBytes: number) => void) | undefined
  /** Sees what a scan passes, so that it need not be read a second time. */
  readonly scanned?: ScanListener | undefined
}

/** Hears of a log that is scanned before it opens: of every batch from an offset to its end, in order. */
export type ScanListener = {
  /** Awaited before the first batch. What it throws is the opening's error. */
  begins(fromOffset: number, directory: string): Promise<void>
  /** The header of a good batch stands at `at`; valid within the call. Must not throw. */
  batch(bytes: Uint8Array, at: number): void
}
