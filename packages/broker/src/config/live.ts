// The configuration of a running broker: the layers it started with, and the two that may change, file and dynamic.
// Enters: a new file, a new dynamic layer. Leaves: new values, and which of the changes wait for a restart.
import { InvalidConfig } from './invalid-config.ts'
import { difference, type Layers, type Origin, type Resolved, resolveConfig } from './layers.ts'
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

  /** Before anything listens. It stays this configuration: whoever changes it later changes that of the broker. */
  takeAnyPort(): void {
    const flags = new Map([...(this.#layers.flags ?? []), ['port', '0'] as const])
    this.#layers = { ...this.#layers, flags }
    this.#resolved = resolveConfig(this.#layers)
  }

  /** Takes the settings that were changed by request. Returns why it could not use some of them. */
  setDynamic(texts: ReadonlyMap<string, string>): readonly string[] {
    let usable: ReadonlyMap<string, string> = new Map()
    const refused: string[] = []
    for (const [name, text] of texts) {
      try {
        usable = withOneMore(this.#layers, usable, name, text)
      } catch (error) {
        if (!(error instanceof InvalidConfig)) throw error
        refused.push(error.message)
      }
    }
    this.#apply({ ...this.#layers, dynamic: usable })
    return refused
  }

  /** Whether a setting may be changed by request, beside all others of this broker. Errors: InvalidConfig. */
  checkDynamic(name: string, text: string): void {
    withOneMore(this.#layers, this.#layers.dynamic ?? new Map(), name, text)
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

/** What is right by itself can be wrong beside a flag: one at a time, so that the others still apply. */
function withOneMore(
  layers: Layers,
  dynamic: ReadonlyMap<string, string>,
  name: string,
  text: string,
): ReadonlyMap<string, string> {
  const next = new Map([...dynamic, [name, text]])
  resolveConfig({ dynamic: new Map([[name, text]]) })
  resolveConfig({ ...layers, dynamic: next })
  if (!isDynamic(name as SettingName)) {
    throw new InvalidConfig(name, `${name} takes a restart: set it by flag, variable or file`)
  }
  return next
}
