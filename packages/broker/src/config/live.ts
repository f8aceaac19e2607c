// The configuration of a running broker: the layers it started with, and the two that may change, file and dynamic.
// Enters: a new file, a new dynamic layer. Leaves: new values, and which of the changes wait for a restart.
import {
  difference,
  InvalidConfig,
  type Layers,
  type Origin,
  type Resolved,
  resolveConfig,
} from './layers.ts'
import { isDynamic, type SettingName, type Values } from './settings.ts'

export class LiveConfig {
  #layers: Layers
  #resolved: Resolved
  readonly #listeners = new Set<(changed: readonly SettingName[]) => void>()

  constructor(layers: Layers) {
    this.#layers = layers
    this.#resolved = resolveConfig(layers)
  }

  get values(): Values {
    return this.#resolved.values
  }

  get warnings(): readonly string[] {
    return this.#resolved.warnings
  }

  originOf(name: SettingName): Origin {
    return this.#resolved.origins.get(name) ?? 'default'
  }

  onChange(listener: (changed: readonly SettingName[]) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** The same configuration on another port. */
  withPort(port: number): LiveConfig {
    const flags = new Map([...(this.#layers.flags ?? []), ['port', String(port)] as const])
    return new LiveConfig({ ...this.#layers, flags })
  }

  /** Takes the settings that were changed by request. Returns the names it could not use, with the reason. */
  setDynamic(texts: ReadonlyMap<string, string>): readonly string[] {
    const usable = new Map<string, string>()
    const refused: string[] = []
    for (const [name, text] of texts) {
      try {
        checkBrokerSetting(name, text)
        usable.set(name, text)
      } catch (error) {
        refused.push((error as Error).message)
      }
    }
    this.#apply({ ...this.#layers, dynamic: usable })
    return refused
  }

  /** Takes a file that was read again (SIGHUP). Returns what waits for a restart. Errors: InvalidConfig, nothing changed. */
  setFile(texts: ReadonlyMap<string, string>): readonly SettingName[] {
    return this.#apply({ ...this.#layers, file: texts })
  }

  #apply(layers: Layers): readonly SettingName[] {
    const before = this.#resolved.values
    const after = resolveConfig(layers)
    const { now, restart } = difference(before, after.values)
    // What only a restart changes keeps its value until then.
    const values: Record<string, unknown> = { ...before }
    for (const name of now) values[name] = after.values[name]
    this.#layers = layers
    this.#resolved = { ...after, values: Object.freeze(values) as Values }
    if (now.length > 0) for (const listener of [...this.#listeners]) listener(now)
    return restart
  }
}

/** Checks one broker setting that is to be changed while running; throws InvalidConfig. */
export function checkBrokerSetting(name: string, text: string): void {
  resolveConfig({ dynamic: new Map([[name, text]]) })
  if (!isDynamic(name as SettingName)) {
    throw new InvalidConfig(name, `${name} takes a restart: set it by flag, variable or file`)
  }
}
