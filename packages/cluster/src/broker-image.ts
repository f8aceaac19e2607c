// Brokers of the image: who is registered, what the controller thinks of each, their settings.
import type { Broker } from './cluster-view.ts'
import type { BrokerStatusValue, BrokerValue, ConfigValue } from './values.ts'

type Registered = { readonly value: BrokerValue; readonly brokerEpoch: number }

const NO_SETTINGS: ReadonlyMap<string, string> = new Map()

export class BrokerImage {
  readonly #registered = new Map<number, Registered>()
  readonly #statuses = new Map<number, BrokerStatusValue>()
  readonly #configs = new Map<number | 'cluster', { value: ConfigValue; modRev: number }>()
  #changed = new Set<number>()

  get(brokerId: number): Broker | undefined {
    const registered = this.#registered.get(brokerId)
    if (registered === undefined) return undefined
    const { value, brokerEpoch } = registered
    const { incarnation, dirIds, endpoints, rack, version } = value
    const status = this.#statusOf(brokerId, registered)
    return { brokerId, brokerEpoch, incarnation, dirIds, endpoints, rack, version, status }
  }

  /** By id. */
  all(): readonly Broker[] {
    const ids = [...this.#registered.keys()].sort((left, right) => left - right)
    return ids.map((id) => this.get(id)).filter((broker) => broker !== undefined)
  }

  registration(brokerId: number): Registered | undefined {
    return this.#registered.get(brokerId)
  }

  status(brokerId: number): BrokerStatusValue | undefined {
    return this.#statuses.get(brokerId)
  }

  /** Everybody who is registered or was so once. */
  knownIds(): readonly number[] {
    return [...new Set([...this.#registered.keys(), ...this.#statuses.keys()])]
  }

  config(brokerId: number | 'cluster'): ReadonlyMap<string, string> {
    return this.#configs.get(brokerId)?.value.values ?? NO_SETTINGS
  }

  configEntry(brokerId: number | 'cluster') {
    return this.#configs.get(brokerId)
  }

  setBroker(brokerId: number, value: BrokerValue | undefined, brokerEpoch: number): void {
    if (value === undefined) this.#registered.delete(brokerId)
    else this.#registered.set(brokerId, { value, brokerEpoch })
    this.#changed.add(brokerId)
  }

  setStatus(brokerId: number, value: BrokerStatusValue | undefined): void {
    if (value === undefined) this.#statuses.delete(brokerId)
    else this.#statuses.set(brokerId, value)
    this.#changed.add(brokerId)
  }

  setConfig(brokerId: number | 'cluster', value: ConfigValue | undefined, modRev: number): void {
    if (value === undefined) this.#configs.delete(brokerId)
    else this.#configs.set(brokerId, { value, modRev })
  }

  takeChanges(): number[] {
    const changed = [...this.#changed]
    this.#changed = new Set()
    return changed
  }

  /** A status that speaks of an earlier registration says nothing about this one. */
  #statusOf(brokerId: number, { value, brokerEpoch }: Registered): Broker['status'] {
    const status = this.#statuses.get(brokerId)
    if (status === undefined || status.epoch !== brokerEpoch) return 'fenced'
    if (status.status === 'active' && value.draining) return 'draining'
    return status.status
  }
}
