// One number per partition, rewritten whole: recovery-point, log-start-offset, hw-checkpoint, scrubbed.
// Enters: offsets by partition. Leaves: a file that is old or new, never half of each.
//
//   minikafka recovery-point 1        name of the file, format version
//   <topic id> <partition> <offset>   a line each; -1: there was an offset and it is lost
//   crc32c 1a2b3c4d
import type { Disk } from '@minikafka/platform'
import { checkedText, withChecksum } from './checked-text.ts'
import { Coalesced } from './coalesced.ts'
import { isTopicId, type PartitionKey, partitionKey } from './partition-key.ts'

export type CheckpointName = 'recovery-point' | 'log-start-offset' | 'hw-checkpoint' | 'scrubbed'

const LOST = -1

export class OffsetCheckpoint {
  readonly path: string
  /** `bad`: it was there and its CRC did not fit, so nothing in it was believed. */
  readonly found: 'good' | 'bad' | 'absent'
  readonly #disk: Disk
  readonly #header: string
  readonly #offsets: Map<PartitionKey, number>
  readonly #saving = new Coalesced(() => this.#save())
  #changed: boolean

  private constructor(
    disk: Disk,
    place: { path: string; header: string },
    found: 'good' | 'bad' | 'absent',
    offsets: Map<PartitionKey, number>,
  ) {
    this.#disk = disk
    this.path = place.path
    this.#header = place.header
    this.found = found
    this.#offsets = offsets
    this.#changed = found !== 'good'
  }

  static async load(
    disk: Disk,
    directory: string,
    name: CheckpointName,
  ): Promise<OffsetCheckpoint> {
    const place = { path: `${directory}/${name}`, header: `minikafka ${name} 1` }
    const content = await disk.readFile(place.path)
    if (content === undefined) return new OffsetCheckpoint(disk, place, 'absent', new Map())
    const offsets = parse(content, place.header)
    return new OffsetCheckpoint(disk, place, offsets ? 'good' : 'bad', offsets ?? new Map())
  }

  /** undefined: it was never set. 'lost': it was, in a file that was damaged. */
  get(key: PartitionKey): number | 'lost' | undefined {
    const offset = this.#offsets.get(key)
    return offset === LOST ? 'lost' : offset
  }

  /** What the damaged file said of this partition is not known, and this survives until `set`. */
  setLost(key: PartitionKey): void {
    this.set(key, LOST)
  }

  /** In memory; `save` makes it durable. */
  set(key: PartitionKey, offset: number): void {
    if (this.#offsets.get(key) === offset) return
    this.#offsets.set(key, offset)
    this.#changed = true
  }

  keys(): Iterable<PartitionKey> {
    return this.#offsets.keys()
  }

  delete(key: PartitionKey): void {
    if (this.#offsets.delete(key)) this.#changed = true
  }

  /** Durable when it resolves: everything set before the call. Costs nothing where nothing changed. */
  save(): Promise<void> {
    return this.#saving.run()
  }

  async #save(): Promise<void> {
    if (!this.#changed) return
    this.#changed = false
    try {
      await this.#disk.replaceFile(this.path, withChecksum(this.#text()))
    } catch (error) {
      this.#changed = true
      throw error
    }
  }

  #text(): string {
    let text = `${this.#header}\n`
    for (const [key, offset] of this.#offsets) text += `${key} ${offset}\n`
    return text
  }
}

function parse(content: Buffer, header: string): Map<PartitionKey, number> | undefined {
  const lines = checkedText(content)?.split('\n')
  if (lines?.[0] !== header) return undefined
  const offsets = new Map<PartitionKey, number>()
  for (const line of lines.slice(1, -1)) {
    const [topicId, partition, offset] = line.split(' ')
    if (!isTopicId(topicId) || !isNumber(partition) || !isNumber(offset)) return undefined
    offsets.set(partitionKey(topicId, Number(partition)), Number(offset))
  }
  return offsets
}

function isNumber(text: string | undefined): text is string {
  return text !== undefined && /^(-1|\d{1,16})$/.test(text) && Number.isSafeInteger(Number(text))
}
