// print-config and check-config: the configuration as the broker would see it.
import type { Env } from '@minikafka/platform'
import { format, type Layers, LiveConfig, settingNames, settingRow } from '../config/index.ts'

/** `showOrigin` undefined: check only, print what is wrong. */
export async function printConfig(
  env: Env,
  layers: Layers,
  showOrigin: boolean | undefined,
): Promise<void> {
  const config = new LiveConfig(layers)
  const { stdout, stderr } = env.program
  for (const warning of config.warnings) await stderr.write(`warning: ${warning}\n`)
  if (showOrigin === undefined) return stderr.write('configuration is fine\n')
  const width = Math.max(...settingNames.map((name) => name.length))
  for (const name of settingNames) {
    const value = format(settingRow(name), config.values[name])
    const origin = showOrigin ? `  # ${config.originOf(name)}` : ''
    await stdout.write(`${`${name}:`.padEnd(width + 2)}${value === '' ? "''" : value}${origin}\n`)
  }
}
