// Which leader epoch began at which offset. Enters: epochs as they begin. Leaves: where one ends, which is how replicas
// find the point up to which their logs agree (KIP-101, KIP-279).
//
// `leader-epoch-checkpoint`, never a missing entry: an epoch is durable here before a batch carries it.
//
//   minikafka leader-epoch-checkpoint 1
//   <epoch> <start offset>                a line each, ascending in both
//   crc32c 1a2b3c4d
import { assert, type Disk } from '@minikafka/platform'
import { MinikafkaError } from '@minikafka/protocol'
import { checkedText, withChecksum } from './checked-text.ts'
import { readRegularFile } from './regular-file.ts'

export type EpochEntry = { readonly epoch: number; readonly startOffset: number }
/** An epoch and the offsets that can only have been written in it. */
export type EpochSpan = EpochEntry & { readonly endOffset: number }

const FILE_NAME = 'leader-epoch-checkpoint'
const HEADER = `minikafka ${FILE_NAME} 1`
const LINE = /^(\d{1,10}) (\d{1,16})$/

export function leaderEpochsPath(directory: string): string {
  return `${directory}/${FILE_NAME}`
}

export class LeaderEpochs {
  readonly #disk: Disk
  readonly #path: string
  /** Invariant I9: strictly ascending in epoch and in start offset. */
  #entries: readonly EpochEntry[]
  /** Changes are made durable one after the other. */
  #lastSave: Promise<void> = Promise.resolve()
  #isDurable = true

  constructor(disk: Disk, directory: string, entries: readonly EpochEntry[] = []) {
    this.#disk = disk
    this.#path = leaderEpochsPath(directory)
    this.#entries = entries
  }

  /** undefined: the file is missing or damaged, and is rebuilt from the log. */
  static async load(disk: Disk, directory: string): Promise<LeaderEpochs | undefined> {
    const content = await readRegularFile(disk, leaderEpochsPath(directory))
    const entries = content && parse(content)
    return entries && new LeaderEpochs(disk, directory, entries)
  }

  get entries(): readonly EpochEntry[] {
    return this.#entries
  }

  /** -1: no epoch has begun here. */
  get latest(): number {
    return this.#entries.at(-1)?.epoch ?? -1
  }

  /** False: an epoch was assigned that is in memory alone. No batch may carry it before `save`. */
  get isDurable(): boolean {
    return this.#isDurable
  }

  /**
   * `epoch` begins at `startOffset`, even if no batch is ever written in it: replicas are answered by it (trap T11).
   * In memory, for the next load would cut off what has no batch: a start of many partitions writes none of them.
   *
   * Errors  KAFKA_STORAGE_ERROR where a later epoch has begun; then nothing was assigned.
   * Holds   epochs that had begun at or after `startOffset` had no batch and are gone.
   */
  assign(epoch: number, startOffset: number): void {
    assert(Number.isSafeInteger(startOffset) && startOffset >= 0, 'an epoch begins at an offset')
    if (epoch === this.latest) return
    if (epoch < this.latest) throw this.#goesBack(epoch)
    this.#entries = [...withoutFrom(this.#entries, startOffset), { epoch, startOffset }]
    this.#isDurable = false
  }

  #goesBack(epoch: number): MinikafkaError {
    return new MinikafkaError('KAFKA_STORAGE_ERROR', {
      message: `${this.#path}: leader epoch ${this.latest} has begun, ${epoch} is older. The metadata is of an earlier time than the log.`,
    })
  }

  /**
   * Where `requested` ends: the answer to a replica that last saw that epoch (REPLICATION 2.3).
   *
   * Holds   the latest epoch ends at the log's end; of one that is not known, the next lower one's end is told.
   */
  endOffsetFor(
    requested: number,
    logEndOffset: number,
  ): { epoch: number; endOffset: number } | undefined {
    if (requested < 0 || requested > this.latest) return undefined
    if (requested === this.latest) return { epoch: requested, endOffset: logEndOffset }
    const next = this.#entries.findIndex(({ epoch }) => epoch > requested)
    const endOffset = (this.#entries[next] as EpochEntry).startOffset
    return { epoch: this.#entries[next - 1]?.epoch ?? requested, endOffset }
  }

  /** The epoch that the batch at `offset` was written in; undefined: before the first one. */
  epochAt(offset: number): number | undefined {
    return this.#entries.findLast(({ startOffset }) => startOffset <= offset)?.epoch
  }

  /** Of the epoch that the batch at `offset` was written in; undefined: before the first one, or none is known. */
  spanAt(offset: number): EpochSpan | undefined {
    const index = this.#entries.findLastIndex(({ startOffset }) => startOffset <= offset)
    const entry = this.#entries[index]
    const endOffset = this.#entries[index + 1]?.startOffset ?? Number.POSITIVE_INFINITY
    return entry && { ...entry, endOffset }
  }

  /** A scan met a batch of this epoch. In memory; `save` follows. */
  noteScanned(epoch: number, baseOffset: number): void {
    if (epoch <= this.latest) return
    this.#entries = [...withoutFrom(this.#entries, baseOffset), { epoch, startOffset: baseOffset }]
  }

  /** The log ends here: epochs that begin at or after are stale. In memory, for a stale extra does no harm. */
  cutEnd(logEndOffset: number): void {
    this.#entries = withoutFrom(this.#entries, logEndOffset)
  }

  /** The log begins here: the epoch it begins in starts no earlier. In memory, as above. */
  cutStart(logStartOffset: number): void {
    const first = this.#entries.findLastIndex(({ startOffset }) => startOffset <= logStartOffset)
    const head = this.#entries[first]
    if (head === undefined || (first === 0 && head.startOffset === logStartOffset)) return
    const raised = { epoch: head.epoch, startOffset: logStartOffset }
    this.#entries = [raised, ...this.#entries.slice(first + 1)]
  }

  /** Makes what is in memory durable. Errors: DiskError; what was durable before is so still. */
  save(): Promise<void> {
    const saved = this.#lastSave.then(() => this.#save())
    this.#lastSave = saved.catch(() => undefined)
    return saved
  }

  async #save(): Promise<void> {
    const entries = this.#entries
    await this.#disk.replaceFile(this.#path, format(entries))
    if (entries === this.#entries) this.#isDurable = true
  }
}

function withoutFrom(entries: readonly EpochEntry[], offset: number): readonly EpochEntry[] {
  return entries.filter(({ startOffset }) => startOffset < offset)
}

function format(entries: readonly EpochEntry[]): Buffer {
  let text = `${HEADER}\n`
  for (const { epoch, startOffset } of entries) text += `${epoch} ${startOffset}\n`
  return withChecksum(text)
}

function parse(content: Buffer): EpochEntry[] | undefined {
  const lines = checkedText(content)?.split('\n')
  if (lines?.[0] !== HEADER) return undefined
  const entries: EpochEntry[] = []
  for (const line of lines.slice(1, -1)) {
    const fields = LINE.exec(line)
    if (fields === null) return undefined
    entries.push({ epoch: Number(fields[1]), startOffset: Number(fields[2]) })
  }
  return areEpochs(entries) ? entries : undefined
}

/** Invariant I9, of entries that were read: strictly ascending in epoch and in start offset. */
export function areEpochs(entries: readonly EpochEntry[]): boolean {
  let last: EpochEntry = { epoch: -1, startOffset: -1 }
  for (const entry of entries) {
    const { epoch, startOffset } = entry
    if (!Number.isSafeInteger(epoch) || !Number.isSafeInteger(startOffset)) return false
    if (epoch <= last.epoch || startOffset <= last.startOffset) return false
    last = entry
  }
  return true
}
