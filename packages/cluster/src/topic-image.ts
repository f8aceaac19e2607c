// Topics and partitions of the image. Enters: decoded values, key by key. Leaves: lookups, and what a step changed.
import type { Partition, PartitionChange, Topic, TopicChange } from './cluster-view.ts'
import { isInternalTopic } from './topic-names.ts'
import type { PartitionValue, TopicValue } from './values.ts'

/** A topic whatever its state, with all partition keys that there are. */
type Entry = { topic: Topic | undefined; readonly partitions: Map<number, Partition> }

/** What was shown before the step, for the topics that it touched. */
type Touched = {
  readonly topic: Topic | undefined
  readonly partitions: Map<number, Partition | undefined>
}

export class TopicImage {
  readonly #byId = new Map<string, Entry>()
  readonly #idByName = new Map<string, string>()
  readonly #touched = new Map<string, Touched>()
  #sorted: readonly Topic[] | undefined
  #partitionCount = 0

  get partitionCount(): number {
    return this.#partitionCount
  }

  byName(name: string): Topic | undefined {
    const topicId = this.#idByName.get(name)
    return topicId === undefined ? undefined : this.byId(topicId)
  }

  byId(topicId: string): Topic | undefined {
    const topic = this.#byId.get(topicId)?.topic
    return topic?.state === 'live' ? topic : undefined
  }

  /** Live topics in name order. */
  live(): readonly Topic[] {
    this.#sorted ??= this.inState('live').toSorted((left, right) =>
      left.name < right.name ? -1 : 1,
    )
    return this.#sorted
  }

  inState(state: Topic['state']): readonly Topic[] {
    const topics: Topic[] = []
    for (const { topic } of this.#byId.values()) if (topic?.state === state) topics.push(topic)
    return topics
  }

  /** Of a live topic. */
  partition(topicId: string, partition: number): Partition | undefined {
    const topic = this.byId(topicId)
    if (topic === undefined || partition >= topic.partitions) return undefined
    return this.#byId.get(topicId)?.partitions.get(partition)
  }

  /** Of a live topic, by number. */
  partitionsOf(topicId: string): readonly Partition[] {
    const count = this.byId(topicId)?.partitions ?? 0
    const all = this.#byId.get(topicId)?.partitions
    const shown: Partition[] = []
    for (let partition = 0; partition < count; partition++) {
      const one = all?.get(partition)
      if (one !== undefined) shown.push(one)
    }
    return shown
  }

  /** All that have a key, whatever the state of the topic. */
  storedPartitionsOf(topicId: string): readonly Partition[] {
    return [...(this.#byId.get(topicId)?.partitions.values() ?? [])]
  }

  setTopic(topicId: string, value: TopicValue | undefined, modRev: number): void {
    const entry = this.#entry(topicId)
    this.#touchAll(topicId, entry)
    entry.topic = value && { ...value, topicId, internal: isInternalTopic(value.name), modRev }
    this.#dropEmpty(topicId, entry)
  }

  setPartition(
    topicId: string,
    partition: number,
    change: { value: PartitionValue | undefined; modRev: number },
  ): void {
    const entry = this.#entry(topicId)
    const touched = this.#touch(topicId)
    if (!touched.partitions.has(partition)) {
      touched.partitions.set(partition, this.partition(topicId, partition))
    }
    const { value, modRev } = change
    if (value === undefined) entry.partitions.delete(partition)
    else entry.partitions.set(partition, { ...value, topicId, partition, partitionEpoch: modRev })
    this.#dropEmpty(topicId, entry)
  }

  /** What became of all that was set since the last call. */
  takeChanges(): { topics: TopicChange[]; partitions: PartitionChange[] } {
    const topics: TopicChange[] = []
    const partitions: PartitionChange[] = []
    for (const [topicId, { topic: before, partitions: earlier }] of this.#touched) {
      const after = this.byId(topicId)
      if (before !== after) {
        const deleted = after === undefined && this.#byId.get(topicId)?.topic?.state === 'deleting'
        const name = after?.name ?? before?.name ?? ''
        topics.push({ topicId, name, before, after, deleted })
        for (const { partition } of this.partitionsOf(topicId)) {
          if (!earlier.has(partition)) earlier.set(partition, undefined)
        }
      }
      for (const [partition, one] of earlier) {
        const now = this.partition(topicId, partition)
        if (one !== now) partitions.push({ topicId, partition, before: one, after: now })
      }
    }
    this.#touched.clear()
    this.#follow(topics)
    return { topics, partitions }
  }

  /** Names, order and count after a step. A name may pass from one topic to another in the same step. */
  #follow(topics: readonly TopicChange[]): void {
    if (topics.length === 0) return
    this.#sorted = undefined
    for (const { before, topicId } of topics) {
      if (before && this.#idByName.get(before.name) === topicId) this.#idByName.delete(before.name)
      this.#partitionCount -= before?.partitions ?? 0
    }
    for (const { after, topicId } of topics) {
      if (after) this.#idByName.set(after.name, topicId)
      this.#partitionCount += after?.partitions ?? 0
    }
  }

  #entry(topicId: string): Entry {
    let entry = this.#byId.get(topicId)
    if (entry === undefined) {
      entry = { topic: undefined, partitions: new Map() }
      this.#byId.set(topicId, entry)
    }
    return entry
  }

  #touch(topicId: string): Touched {
    let touched = this.#touched.get(topicId)
    if (touched === undefined) {
      touched = { topic: this.byId(topicId), partitions: new Map() }
      this.#touched.set(topicId, touched)
    }
    return touched
  }

  /** Before the topic itself changes: all that was shown of it may go. */
  #touchAll(topicId: string, entry: Entry): void {
    const touched = this.#touch(topicId)
    for (const partition of entry.partitions.keys()) {
      if (touched.partitions.has(partition)) continue
      touched.partitions.set(partition, this.partition(topicId, partition))
    }
  }

  #dropEmpty(topicId: string, entry: Entry): void {
    if (entry.topic === undefined && entry.partitions.size === 0) this.#byId.delete(topicId)
  }
}
