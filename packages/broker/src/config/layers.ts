// The layers of configuration, resolved once to a frozen object: flag > environment > file > dynamic > default.
// Enters: texts by layer. Leaves: values, the origin of each, warnings; or an InvalidConfig that names the nearest.
import { nearest } from '@minikafka/protocol'
import { advertisedAddresses, listenerSpecs, pagesAddress } from './endpoints.ts'
import { InvalidConfig } from './invalid-config.ts'
import { parseValue } from './parse.ts'
import { isDynamic, type SettingName, settingNames, settingRow, type Values } from './settings.ts'

export type Origin = 'flag' | 'environment' | 'file' | 'dynamic' | 'default'

/** Texts as they were given, by setting name; unknown names are found out here. */
export type Layers = {
  readonly flags?: ReadonlyMap<string, string>
  readonly environment?: Readonly<Record<string, string | undefined>>
  readonly file?: ReadonlyMap<string, string>
  readonly dynamic?: ReadonlyMap<string, string>
}

export type Resolved = {
  readonly values: Values
  readonly origins: ReadonlyMap<SettingName, Origin>
  readonly warnings: readonly string[]
}

export function resolveConfig(layers: Layers): Resolved {
  const warnings: string[] = []
  const texts: readonly (readonly [Origin, ReadonlyMap<string, string>])[] = [
    ['dynamic', knownOnly(layers.dynamic, 'dynamic setting')],
    ['file', knownOnly(layers.file, 'key in the configuration file')],
    ['environment', fromEnvironment(layers.environment ?? {}, warnings)],
    ['flag', knownOnly(layers.flags, 'flag')],
  ]
  const values: Record<string, number | string | boolean> = {}
  const origins = new Map<SettingName, Origin>()
  for (const name of settingNames) {
    values[name] = settingRow(name).default
    origins.set(name, 'default')
    for (const [origin, layer] of texts) {
      const text = layer.get(name)
      if (text === undefined) continue
      values[name] = parseOrThrow(name, text, origin)
      origins.set(name, origin)
    }
  }
  const resolved = Object.freeze(values) as Values
  checkTogether(resolved)
  return { values: resolved, origins, warnings }
}

function parseOrThrow(name: SettingName, text: string, origin: Origin): number | string | boolean {
  const parsed = parseValue(settingRow(name), text)
  if ('value' in parsed) return parsed.value
  const shown = JSON.stringify(text.slice(0, 80))
  throw new InvalidConfig(name, `${name} (${origin}): ${parsed.error}, not ${shown}`)
}

/** Rules over more than one row, and texts that a row does not read: what would be found out later must be found out here. */
function checkTogether(values: Values): void {
  listenerSpecs(values)
  advertisedAddresses(values)
  pagesAddress(values)
  const smallest = values['message.max.bytes'] + 65_536
  if (values['socket.request.max.bytes'] < smallest) {
    throw new InvalidConfig(
      'socket.request.max.bytes',
      `socket.request.max.bytes must be at least message.max.bytes + 64 KiB = ${smallest}`,
    )
  }
  const assignors = assignorNames(values)
  const unknown = assignors.find((name) => !ASSIGNORS.includes(name))
  if (unknown !== undefined || assignors.length === 0) {
    const near = nearest(unknown ?? '', ASSIGNORS)
    throw new InvalidConfig(
      'group.consumer.assignors',
      `group.consumer.assignors: expected some of ${ASSIGNORS.join(', ')}, not ${JSON.stringify(unknown?.slice(0, 80) ?? '')}` +
        `${near ? `: did you mean ${near}?` : ''}`,
    )
  }
}

const ASSIGNORS: readonly string[] = ['sticky', 'uniform', 'range', 'roundrobin']

/** In the order of preference. */
export function assignorNames(values: Values): readonly string[] {
  const names = values['group.consumer.assignors'].split(',').map((name) => name.trim())
  return names.filter((name) => name !== '')
}

function knownOnly(layer: ReadonlyMap<string, string> | undefined, what: string) {
  for (const name of layer?.keys() ?? []) {
    if (!isSettingName(name)) throw new InvalidConfig(name, unknownName(what, name))
  }
  return layer ?? new Map<string, string>()
}

export function isSettingName(name: string): name is SettingName {
  return (settingNames as readonly string[]).includes(name)
}

export function unknownName(what: string, name: string): string {
  const near = nearest(name, settingNames)
  return `unknown ${what} ${JSON.stringify(name.slice(0, 80))}${near ? `: did you mean ${near}?` : ''}`
}

// --- names in other places ---------------------------------------------------------------------

const PREFIX = 'MINIKAFKA_'

/** `log.level` is MINIKAFKA_LOG_LEVEL. */
export function variableName(name: SettingName): string {
  return PREFIX + name.toUpperCase().replaceAll(/[.-]/g, '_')
}

/** `log.level` is --log-level. */
export function flagName(name: SettingName): string {
  return `--${name.replaceAll('.', '-')}`
}

function fromEnvironment(
  variables: Readonly<Record<string, string | undefined>>,
  warnings: string[],
) {
  const byVariable = new Map(settingNames.map((name) => [variableName(name), name]))
  const layer = new Map<string, string>()
  for (const [variable, text] of Object.entries(variables)) {
    if (!variable.startsWith(PREFIX) || text === undefined) continue
    const name = byVariable.get(variable)
    if (name !== undefined && !isKubernetesLink(variable, text)) layer.set(name, text)
    else if (name === undefined && !isOthers(variable)) {
      const near = nearest(variable, byVariable.keys())
      warnings.push(`unknown variable ${variable}${near ? `: did you mean ${near}?` : ''}`)
    }
  }
  return layer
}

/** Kubernetes sets MINIKAFKA_PORT=tcp://10.0.0.1:9092 for a service named minikafka. */
function isKubernetesLink(variable: string, text: string): boolean {
  return variable === 'MINIKAFKA_PORT' && text.startsWith('tcp://')
}

/** Variables of the command line, of tests and of Kubernetes' service links, which are not the broker's. */
function isOthers(variable: string): boolean {
  return /^MINIKAFKA_(BROKERS|PROFILE|PASSWORD|SEED|CONFIG|SERVICE_.*|PORT_.*)$/.test(variable)
}

/** What a change of the file or of a dynamic layer may apply now, and what waits for a restart. */
export function difference(before: Values, after: Values) {
  const changed = settingNames.filter((name) => before[name] !== after[name])
  return {
    now: changed.filter((name) => isDynamic(name)),
    restart: changed.filter((name) => !isDynamic(name)),
  }
}
