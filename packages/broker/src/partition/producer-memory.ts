// What a partition remembers of its producers over a restart: a snapshot beside the log, and the batch headers behind it
// (REPLICATION 2.10).
// Enters: batches that are appended or replayed. Leaves: producers as they were; a snapshot before records go.
import type { Env } from '@minikafka/platform'
import { type BatchHeader, readBatchHeader } from '@minikafka/protocol'
import { Coalesced, type Log } from '../log/index.ts'
import {
  fromNote,
  type KnownProducers,
  loadProducerSnapshot,
  noteOf,
  saveProducerSnapshot,
} from './producer-snapshot.ts'
import { ProducerStates } from './producer-states.ts'
import type { ProducerUses } from './producer-uses.ts'

const NO_SNAPSHOT = { endOffset: 0, appendTimeMs: -1, producers: [] }

/** As many a clean stop keeps without a file: of most partitions all. */
const PRODUCERS_NOTED_MAX = 4

/** So much is appended for each byte of a snapshot that is saved at roll: what it costs, and what is replayed. */
const BYTES_PER_SNAPSHOT_BYTE = 8

type Name = { readonly topic: string; readonly topicId: string; readonly partition: number }

export class ProducerMemory {
  readonly states: ProducerStates
  /** The largest append time given: it never goes back, whatever the wall clock does (SECURITY, row 64). */
  appendTimeMs = -1
  readonly #env: Env
  readonly #name: Name
  readonly #uses: ProducerUses
  /** The scan that came before the opening has told of all batches from here on; undefined: nothing was scanned. */
  #replayedFrom: number | undefined
  /** The snapshot on the disk covers the producers of all batches below, none as well; 0: it need not be there. */
  #snapshotEndOffset = 0
  /** 0: none was saved in this run. */
  #snapshotBytes = 0
  /** Appended since then. */
  #unsavedBytes = 0
  /** One snapshot after the other, lest an older one takes the place of a newer one. */
  readonly #snapshots: Coalesced

  /** `log`: that of the partition; it is open. */
  constructor(env: Env, name: Name, uses: ProducerUses, log: () => Log) {
    this.#env = env
    this.#name = name
    this.#uses = uses
    this.states = new ProducerStates(uses)
    this.#snapshots = new Coalesced(() => this.#saveNew(log()))
  }

  appended(header: BatchHeader, sizeBytes: number): void {
    this.states.record(header, this.#env.clock.monotonicMs())
    this.#unsavedBytes += sizeBytes
  }

  // --- load ----------------------------------------------------------------------------------

  readonly scanned = {
    begins: async (fromOffset: number, directory: string): Promise<void> => {
      await this.#restoreSnapshot(directory)
      this.#replayedFrom = fromOffset
    },
    batch: (bytes: Uint8Array, at: number): void => this.#replay(readBatchHeader(bytes, at)),
  }

  /** `note`: what `note` gave, where the log is as it was then. Where this fails no producer is remembered. */
  async open(log: Log, note: unknown): Promise<void> {
    try {
      const known = fromNote(note)
      if (known === undefined) await this.#recover(log)
      else this.#remember(known)
    } catch (error) {
      this.states.clear()
      throw error
    }
  }

  async #recover(log: Log): Promise<void> {
    const isReplayed = this.#replayedFrom !== undefined && this.#replayedFrom <= this.#covered(log)
    if (!isReplayed) await this.#restoreSnapshot(log.directory)
    if (this.#snapshotEndOffset > log.logEndOffset) return await this.#forgetLost(log)
    if (!isReplayed) await this.#replayHeaders(log)
  }

  /** Of what is behind, the batches have to tell; below the log start there are none. */
  #covered(log: Log): number {
    return Math.max(this.#snapshotEndOffset, log.logStartOffset)
  }

  async #replayHeaders(log: Log): Promise<void> {
    const covered = this.#snapshotEndOffset
    const nowMs = this.#env.clock.monotonicMs()
    const known = [...this.states.images(covered, nowMs)]
    const knownTimeMs = this.appendTimeMs
    const begin = () => {
      this.states.restore(known, nowMs)
      this.appendTimeMs = knownTimeMs
    }
    await log.headers(covered, begin, (header) => this.#replay(header))
  }

  #replay(header: BatchHeader): void {
    if (header.timestampType === 'append')
      this.appendTimeMs = Math.max(this.appendTimeMs, header.maxTimestamp)
    if (header.baseOffset < this.#snapshotEndOffset) return
    // As if used now: the stamps in the batches are the producers' own and may be years old.
    this.states.record(header, this.#env.clock.monotonicMs())
    this.#uses.bound()
  }

  /** Committed records were lost: other ones get their offsets, and must not be taken for them after the next crash. */
  async #forgetLost(log: Log): Promise<void> {
    this.states.truncate(log.logEndOffset)
    await this.#write(log, log.logEndOffset)
  }

  /** Forgets all else. Without a snapshot nothing is covered. */
  async #restoreSnapshot(directory: string): Promise<void> {
    const { topic, topicId, partition } = this.#name
    const snapshot = await loadProducerSnapshot(this.#env, directory, { topicId, partition })
    if (snapshot === 'damaged')
      this.#env.logger.warn({ topic, partition }, 'producer snapshot is damaged: not believed')
    const known = typeof snapshot === 'object' ? snapshot : NO_SNAPSHOT
    this.#remember(known)
    this.#snapshotEndOffset = known.endOffset
  }

  #remember({ appendTimeMs, producers }: KnownProducers): void {
    this.states.restore(producers, this.#env.clock.monotonicMs())
    this.appendTimeMs = appendTimeMs
  }

  // --- save ----------------------------------------------------------------------------------

  /**
   * Keeps what is known of the producers beside the log: their records may go, and a retry must still be recognized.
   *
   * Errors  DiskError; KAFKA_STORAGE_ERROR where the log is offline.
   * Holds   all that was written before the call is covered, durably.
   */
  async save(log: Log): Promise<void> {
    await log.flush()
    await this.#snapshots.run()
  }

  /** Of very many producers and small segments, a snapshot at each roll would be more work than the records are. */
  async saveIfWorthIt(): Promise<void> {
    if (this.#unsavedBytes >= BYTES_PER_SNAPSHOT_BYTE * this.#snapshotBytes)
      await this.#snapshots.run()
  }

  /** Few go into the note of a clean stop. */
  get needsFile(): boolean {
    return this.states.size > PRODUCERS_NOTED_MAX
  }

  /** For a clean stop, in place of a file. */
  note(log: Log | undefined): unknown {
    // Where the log was not taken nobody knows which producers there are.
    if (log === undefined || this.needsFile) return undefined
    const producers = this.states.images(log.logEndOffset, this.#env.clock.monotonicMs())
    return noteOf({ appendTimeMs: this.appendTimeMs, producers })
  }

  /** Of what is durable: one that told of batches which a power cut takes away would vouch for what is not there. */
  async #saveNew(log: Log): Promise<void> {
    const endOffset = log.durableEndOffset
    if (endOffset > this.#snapshotEndOffset) await this.#write(log, endOffset)
  }

  async #write(log: Log, endOffset: number): Promise<void> {
    const bytes = this.#unsavedBytes
    const { topicId, partition } = this.#name
    this.#snapshotBytes = await saveProducerSnapshot(this.#env, log.directory, {
      topicId,
      partition,
      endOffset,
      appendTimeMs: this.appendTimeMs,
      producers: this.states.images(endOffset, this.#env.clock.monotonicMs()),
    })
    this.#unsavedBytes -= bytes
    this.#snapshotEndOffset = endOffset
  }
}
