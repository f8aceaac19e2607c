// The controller: one broker that elects leaders and changes topics, by compare-and-swap on the store (REPLICATION 2.9, 3.3).
import type { Env } from '@minikafka/platform'
import type { ClusterState } from './cluster-state.ts'
import type { ReplicaAnswer, UncleanRecovery } from './election.ts'
import type { Member } from './member.ts'
import type { MetaStore } from './meta-store.ts'

export type ControllerSettings = {
  /** max.partitions: of all topics together. */
  readonly partitionsMax: () => number
  readonly uncleanRecovery?: UncleanRecovery | undefined
  /** Whether a topic runs with flush=group; decides what balanced recovery may do. */
  readonly isFlushGroup?: ((config: ReadonlyMap<string, string>) => boolean) | undefined
}

export type NewTopic = {
  readonly name: string
  /** -1: `defaults.partitions`. */
  readonly partitions: number
  /** -1: `defaults.replicationFactor`. */
  readonly replicationFactor: number
  /** Settings as text, checked by the broker. */
  readonly config: ReadonlyMap<string, string>
  readonly defaults: { readonly partitions: number; readonly replicationFactor: number }
  /** Effective min.insync.replicas for that replication factor. */
  readonly minIsr: (replicationFactor: number) => number
  /** True: for the brokers themselves, so that the reserved names are allowed. */
  readonly internal?: boolean | undefined
}

export type CreatedTopic = {
  readonly topicId: string
  readonly partitions: number
  readonly replicationFactor: number
}

export type TopicRef = { readonly name: string } | { readonly topicId: string }

/** Gets the present settings, answers the new ones or throws INVALID_CONFIG; nothing is written then. */
export type ConfigChange = (current: ReadonlyMap<string, string>) => ReadonlyMap<string, string>

/** Every method that writes resolves when this broker's own image shows it. */
export class Controller {
  static open(
    _env: Env,
    _parts: { store: MetaStore; state: ClusterState; member: Member },
    _settings: ControllerSettings,
  ): Promise<Controller> {
    throw new Error('unbuilt')
  }
  /** This broker is the controller, as far as it knows. */
  get isController(): boolean {
    throw new Error('unbuilt')
  }
  /**
   * The broker has read the metadata and recovered its logs: it becomes active and leads what it may lead.
   *
   * Shape   `cleanEpoch`: brokerEpoch of clean-shutdown.json, undefined after an unclean stop.
   *         `answers`: what its replicas say, by `${topicId}/${partition}`; asked only for partitions without ISR and ELR.
   */
  brokerReady(_ready: {
    brokerId: number
    answers: (topicId: string, partition: number) => ReplicaAnswer | undefined
  }): Promise<readonly RecoveryReport[]> {
    throw new Error('unbuilt')
  }
  /** Errors: INVALID_TOPIC_EXCEPTION, TOPIC_ALREADY_EXISTS, INVALID_PARTITIONS, INVALID_REPLICATION_FACTOR, INVALID_CONFIG, POLICY_VIOLATION. */
  createTopic(
    _topic: NewTopic,
    _options?: { validateOnly?: boolean },
  ): Promise<CreatedTopic & { rev: number }> {
    throw new Error('unbuilt')
  }
  /** The name is free when it resolves. Errors: UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID, TOPIC_AUTHORIZATION_FAILED. */
  deleteTopic(_topic: TopicRef): Promise<{ topicId: string; name: string; rev: number }> {
    throw new Error('unbuilt')
  }
  /** The broker has no directory of this deleted topic any more; the last one's word removes its keys. */
  replicasRemoved(_topicId: string, _brokerId: number): Promise<void> {
    throw new Error('unbuilt')
  }
  /** Errors: UNKNOWN_TOPIC_OR_PARTITION, INVALID_PARTITIONS, POLICY_VIOLATION, TOPIC_AUTHORIZATION_FAILED. */
  createPartitions(
    _name: string,
    _total: number,
    _options?: { validateOnly?: boolean },
  ): Promise<{ rev: number }> {
    throw new Error('unbuilt')
  }
  /** `minIsr`: effective value under the new settings. */
  alterTopicConfig(
    _topic: TopicRef,
    _change: ConfigChange,
    _minIsr: (config: ReadonlyMap<string, string>, replicationFactor: number) => number,
    _options?: { validateOnly?: boolean },
  ): Promise<{ rev: number }> {
    throw new Error('unbuilt')
  }
  alterBrokerConfig(
    _broker: number | 'cluster',
    _change: ConfigChange,
    _options?: { validateOnly?: boolean },
  ): Promise<{ rev: number }> {
    throw new Error('unbuilt')
  }
  close(): Promise<void> {
    throw new Error('unbuilt')
  }
}

/** A partition whose ISR and ELR were empty, and what came of it: to be logged and counted. */
export type RecoveryReport = {
  readonly topicId: string
  readonly partition: number
  readonly outcome: 'waiting' | 'refused' | 'recovered' | 'unclean'
  readonly reason: string
}
