// All that the store's keys say, decoded: events in, lookups and one change per step out. No I/O.
import { BrokerImage } from './broker-image.ts'
import type { ClusterChange } from './cluster-view.ts'
import { type Key, parseKey } from './keys.ts'
import type { Event, KeyValue } from './meta-store.ts'
import { TopicImage } from './topic-image.ts'
import { MalformedValue, type Remembered, type ValueCodec } from './value-codec.ts'
import {
  brokerCodec,
  brokerStatusCodec,
  type ClusterValue,
  type ControllerValue,
  clusterCodec,
  configCodec,
  controllerCodec,
  partitionCodec,
  topicCodec,
} from './values.ts'

export class Image {
  readonly topics = new TopicImage()
  readonly brokers = new BrokerImage()
  /** Keys that cannot be read as they should, or only partly: a person must look (SECURITY row 63). */
  readonly alarms = new Map<string, string>()
  cluster: ClusterValue | undefined
  controller: { readonly value: ControllerValue; readonly epoch: number } | undefined
  revision = 0
  /** Last modification of every key, so that nothing is applied twice or backwards. */
  readonly #modRevs = new Map<string, number>()
  #controllerChanged = false
  #configChanged = false

  /** One revision, whole. Undefined: everything in it was known. */
  apply(rev: number, events: readonly Event[]): ClusterChange | undefined {
    if (rev <= this.revision) return undefined
    for (const event of events) {
      if (event.type === 'put') this.#put(event.kv)
      else if ((this.#modRevs.get(event.key) ?? 0) < event.modRev) this.#delete(event.key)
    }
    return this.#step(rev)
  }

  /** All keys at one revision: the difference is applied as one step; what is absent was deleted. */
  replaceAll(rev: number, kvs: readonly KeyValue[]): ClusterChange | undefined {
    if (rev < this.revision) return undefined
    const present = new Set(kvs.map(({ key }) => key))
    for (const key of [...this.#modRevs.keys()]) if (!present.has(key)) this.#delete(key)
    for (const kv of kvs) this.#put(kv)
    return this.#step(rev)
  }

  #put(kv: KeyValue): void {
    if ((this.#modRevs.get(kv.key) ?? 0) >= kv.modRev) return
    this.#modRevs.set(kv.key, kv.modRev)
    this.alarms.delete(kv.key)
    const key = parseKey(kv.key)
    if (key !== undefined) this.#set(key, kv)
  }

  #delete(key: string): void {
    this.#modRevs.delete(key)
    this.alarms.delete(key)
    const parsed = parseKey(key)
    if (parsed !== undefined) this.#set(parsed, undefined)
  }

  /** `kv` undefined: the key was deleted. */
  #set(key: Key, kv: KeyValue | undefined): void {
    const modRev = kv?.modRev ?? 0
    const createRev = kv?.createRev ?? 0
    const { brokers, topics } = this
    switch (key.kind) {
      case 'meta':
        this.#decode(clusterCodec, kv, (value) => {
          this.cluster = value
        })
        break
      case 'controller':
        this.#decode(controllerCodec, kv, (value) =>
          this.#setController(value && { value, epoch: createRev }),
        )
        break
      case 'broker':
        this.#decode(brokerCodec, kv, (value) => brokers.setBroker(key.brokerId, value, createRev))
        break
      case 'brokerStatus':
        this.#decode(brokerStatusCodec, kv, (value) => brokers.setStatus(key.brokerId, value))
        break
      case 'brokerConfig':
        this.#decode(configCodec, kv, (value) => this.#setConfig(key.brokerId, value, modRev))
        break
      case 'clusterConfig':
        this.#decode(configCodec, kv, (value) => this.#setConfig('cluster', value, modRev))
        break
      case 'topic':
        this.#decode(topicCodec, kv, (value) => topics.setTopic(key.topicId, value, modRev))
        break
      case 'partition':
        this.#decode(partitionCodec, kv, (value) =>
          topics.setPartition(key.topicId, key.partition, { value, modRev }),
        )
        break
      case 'topicName':
      case 'producerId':
        break
    }
  }

  /** What cannot be read changes nothing: the last good value stands, and an alarm. */
  #decode<V extends Remembered>(
    codec: ValueCodec<V>,
    kv: KeyValue | undefined,
    use: (value: V | undefined) => void,
  ): void {
    if (kv === undefined) {
      use(undefined)
      return
    }
    try {
      const value = codec.decode(kv.value)
      if (value.newerVersion !== undefined) {
        this.alarms.set(
          kv.key,
          `version ${value.newerVersion} is newer than this broker: read only`,
        )
      }
      use(value)
    } catch (error) {
      if (!(error instanceof MalformedValue)) throw error
      this.alarms.set(kv.key, error.message)
    }
  }

  #setController(controller: { value: ControllerValue; epoch: number } | undefined): void {
    this.controller = controller
    this.#controllerChanged = true
  }

  #setConfig(...change: Parameters<BrokerImage['setConfig']>): void {
    this.brokers.setConfig(...change)
    this.#configChanged = true
  }

  #step(revision: number): ClusterChange | undefined {
    this.revision = revision
    const { topics, partitions } = this.topics.takeChanges()
    const brokers = this.brokers.takeChanges()
    const controllerChanged = this.#controllerChanged
    const configChanged = this.#configChanged
    this.#controllerChanged = false
    this.#configChanged = false
    const count = topics.length + partitions.length + brokers.length
    if (count === 0 && !controllerChanged && !configChanged) return undefined
    return { revision, topics, partitions, brokers, controllerChanged, configChanged }
  }
}
