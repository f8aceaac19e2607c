// The topics that groups may have, as the metadata shows them at this moment, and word of each change.
// Enters: the image of the cluster. Leaves: facts by name, id and expression; which topics came, went or grew.
import type { ClusterChange, ClusterState, Topic } from '@minikafka/cluster'
import type { TopicFacts, TopicsView } from '@minikafka/coordinator'
import type { Clock } from '@minikafka/platform'
import { TopicPatterns } from './topic-patterns.ts'

/** A topic as it was or is; one that grew is its new self. */
export type ChangedTopic = { readonly name: string; readonly topicId: string }

export class TopicsFeed implements TopicsView {
  readonly #byName = new Map<string, TopicFacts>()
  readonly #byId = new Map<string, TopicFacts>()
  readonly #patterns: TopicPatterns
  readonly #changed: (topics: readonly ChangedTopic[], revision: number) => void
  readonly #unsubscribe: () => void

  /** `changed` is called within the step of the metadata; the view is that of the step. */
  constructor(
    clock: Clock,
    state: ClusterState,
    changed: (topics: readonly ChangedTopic[], revision: number) => void,
  ) {
    this.#patterns = new TopicPatterns(clock, () => this.#byName.keys())
    this.#changed = changed
    for (const topic of state.topics()) this.#set(topic)
    this.#unsubscribe = state.onChange((change) => this.#follow(change))
  }

  byName(name: string): TopicFacts | undefined {
    return this.#byName.get(name)
  }

  byId(topicId: string): TopicFacts | undefined {
    return this.#byId.get(topicId)
  }

  matching(expression: string, isKept?: boolean): readonly string[] {
    return this.#patterns.matching(expression, isKept)
  }

  close(): void {
    this.#unsubscribe()
  }

  #follow({ topics, revision }: ClusterChange): void {
    const changed = topics.filter(({ before, after }) => {
      const isInternal = (before ?? after)?.internal === true
      return !isInternal && before?.partitions !== after?.partitions
    })
    if (changed.length === 0) return
    const namesBefore = new Set<string>()
    for (const { before, topicId } of changed) {
      if (before === undefined) continue
      namesBefore.add(before.name)
      this.#byId.delete(topicId)
      if (this.#byName.get(before.name)?.topicId === topicId) this.#byName.delete(before.name)
    }
    for (const { after } of changed) if (after !== undefined) this.#set(after)
    const came = changed.flatMap(({ after }) => (after === undefined ? [] : [after.name]))
    this.#patterns.changed(
      came.filter((name) => !namesBefore.has(name)),
      new Set([...namesBefore].filter((name) => !this.#byName.has(name))),
    )
    this.#changed(
      changed.map(({ topicId, name }) => ({ topicId, name })),
      revision,
    )
  }

  #set({ name, topicId, partitions, internal }: Topic): void {
    if (internal) return
    const facts = { name, topicId, partitionCount: partitions }
    this.#byName.set(name, facts)
    this.#byId.set(topicId, facts)
  }
}
