import type { Env, Logger } from '@minikafka/platform'
import type { DirectoryMeta } from './directory-meta.ts'
import type { Log } from './log.ts'
import type {
  FoundPartition,
  LogIdentity,
  LogListener,
  LogSettings,
  RecoveryReport,
} from './log-types.ts'

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
}

/** A place in `synced` for something else that obeys the floor: the embedded MetaStore's WAL. */
export type FloorSlot = {
  /** What was known to be on the disk at the last stop; undefined: unknown. */
  readonly floor: number | undefined
  /** An fdatasync covers everything below `offset`. Written within 100 ms, never fsynced. */
  set(offset: number): void
}

export class DataDirectory {
  /** Errors: `StartError` (locked, of another node or version, damaged, unwritable). */
  static open(_env: Env, _options: DataDirectoryOptions): Promise<DataDirectory> {
    throw new Error('soon')
  }
  get path(): string {
    throw new Error('soon')
  }
  get meta(): DirectoryMeta {
    throw new Error('soon')
  }
  /** True: this start made the directory. */
  get isNew(): boolean {
    throw new Error('soon')
  }
  /** Broker epoch of the last stop if that was clean. */
  get previousBrokerEpoch(): number | undefined {
    throw new Error('soon')
  }
  /** Removes the mark of a clean stop, durably. Before any log is opened. */
  markOpened(): Promise<void> {
    throw new Error('soon')
  }
  /** Partitions here, by their `partition.meta`. */
  found(): readonly FoundPartition[] {
    throw new Error('soon')
  }
  /** Rejects with KAFKA_STORAGE_ERROR where the partition must stay offline (corruption); nothing was cut then. */
  openLog(_options: OpenLogOptions): Promise<{ log: Log; recovered: RecoveryReport }> {
    throw new Error('soon')
  }
  createLog(_options: OpenLogOptions): Promise<Log> {
    throw new Error('soon')
  }
  /** Closes the log, renames its directory away durably; the files go after the delete delay. */
  deleteLog(_log: Log): Promise<void> {
    throw new Error('soon')
  }
  /** Deletes a partition that is not open, e.g. one that is offline. */
  deleteFound(_found: FoundPartition, _deleteDelayMs: number): Promise<void> {
    throw new Error('soon')
  }
  /** Takes a directory that the metadata does not know out of service; it is kept as `<topicId>-<partition>.stray`. */
  markStray(_found: FoundPartition): Promise<void> {
    throw new Error('soon')
  }
  /** From `hw-checkpoint`; a hint only. */
  highWatermarkHint(_topicId: string, _partition: number): number | undefined {
    throw new Error('soon')
  }
  /** For the embedded MetaStore (REPLICATION 3.7). */
  floorSlot(_name: string): FloorSlot {
    throw new Error('soon')
  }
  /** A highest revision of the metadata store, remembered in meta.json (REPLICATION 3.5). */
  rememberRevision(_rev: number): Promise<void> {
    throw new Error('soon')
  }
  get offline(): Error | undefined {
    throw new Error('soon')
  }
  onOffline(_listener: (error: Error) => void): () => void {
    throw new Error('soon')
  }
  /** In-memory tail: bytes held, and a new bound. */
  get tailBytes(): number {
    throw new Error('soon')
  }
  setTailBytesMax(_bytes: number): void {
    throw new Error('soon')
  }
  /** Descriptors held open. */
  get filesOpen(): number {
    throw new Error('soon')
  }
  freeBytes(): Promise<number> {
    throw new Error('soon')
  }
  totalBytes(): Promise<number> {
    throw new Error('soon')
  }
  /** Closes all logs; `clean`: syncs, checkpoints and writes the mark of a clean stop. Then frees the lock. */
  close(_stop: { clean: boolean; brokerEpoch: number }): Promise<void> {
    throw new Error('soon')
  }
}
