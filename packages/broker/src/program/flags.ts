// Settings as flags, variables and a YAML file. Enters: parsed options. Leaves: the layers of the configuration.
import type { Env } from '@minikafka/platform'
import { type Command, Option } from 'commander'
import {
  expectation,
  flagName,
  format,
  InvalidConfig,
  isSettingName,
  type Layers,
  type Row,
  settingNames,
  settingRow,
  unknownName,
} from '../config/index.ts'

/** One flag for each setting. An unknown flag stops the start and names the nearest. */
export function addSettings(command: Command): void {
  for (const name of settingNames) {
    const row = settingRow(name)
    command.addOption(new Option(`${flagName(name)} <${valueName(row)}>`, help(row)))
  }
}

function valueName({ type }: Row): string {
  return {
    ratio: '<share>',
    int: 'number',
    bytes: 'size',
    duration: 'time',
    text: 'text',
    boolean: 'true|false',
    choice: 'word',
  }[type]
}

function help(row: Row): string {
  const fallback = row.default === '' ? '' : `; default ${format(row, row.default)}`
  return `${row.about} (${expectation(row)}${fallback})`
}

export async function layersOf(
  env: Env,
  options: Readonly<Record<string, unknown>>,
): Promise<Layers> {
  const flags = new Map<string, string>()
  for (const name of settingNames) {
    const value = options[camelCase(name)]
    if (typeof value === 'string') flags.set(name, value)
  }
  const file =
    typeof options.config === 'string'
      ? await readConfigFile(env, options.config)
      : new Map<string, string>()
  return { flags, environment: env.program.variables, file }
}

/** The attribute that commander makes of --log-level: logLevel. */
function camelCase(name: string): string {
  return flagName(name as never)
    .slice(2)
    .replaceAll(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
}

/** A YAML map of settings by name; nested maps are joined by dots, so `log: { level: debug }` is log.level. */
export async function readConfigFile(env: Env, path: string): Promise<ReadonlyMap<string, string>> {
  const content = await env.disk.readFile(path, { links: 'follow' })
  if (content === undefined)
    throw new InvalidConfig('config', `configuration file ${path}: there is no such file`)
  const { parse } = await import('yaml')
  let tree: unknown
  try {
    tree = parse(content.toString('utf8'))
  } catch (error) {
    throw new InvalidConfig('config', `configuration file ${path}: ${(error as Error).message}`)
  }
  const values = new Map<string, string>()
  flatten(tree, '', path, values)
  for (const name of values.keys()) {
    if (!isSettingName(name))
      throw new InvalidConfig(name, `configuration file ${path}: ${unknownName('key', name)}`)
  }
  return values
}

function flatten(node: unknown, prefix: string, path: string, values: Map<string, string>): void {
  if (node === null || node === undefined) return
  if (typeof node === 'object' && !Array.isArray(node)) {
    for (const [key, child] of Object.entries(node))
      flatten(child, prefix === '' ? key : `${prefix}.${key}`, path, values)
  } else if (typeof node === 'object' || prefix === '') {
    throw new InvalidConfig(
      prefix,
      `configuration file ${path}: expected a map of settings by name`,
    )
  } else values.set(prefix, String(node))
}
