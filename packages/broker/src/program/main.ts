// The command line of the broker: serve is the default, the others look at what is on disk, or mend it.

import { StoreDamaged } from '@minikafka/cluster'
import { AssertionError, type Env } from '@minikafka/platform'
import { isMinikafkaError } from '@minikafka/protocol'
import { Command, CommanderError } from 'commander'
import { InvalidConfig } from '../config/index.ts'
import { EXIT, StartError } from '../log/index.ts'
import { VERSION } from '../version.ts'
import { addSettings, layersOf } from './flags.ts'
import type { RepairFlags } from './repair.ts'

/** Exit codes of CLIENT 6.4, besides those a StartError carries. */
const UNEXPECTED = 1
const USAGE = 2
const ASSERTION = 70
/** The store belongs to another cluster, or to another broker of this id. */
const FOREIGN: ReadonlySet<string> = new Set([
  'INCONSISTENT_CLUSTER_ID',
  'DUPLICATE_BROKER_REGISTRATION',
])

export async function main(env: Env): Promise<void> {
  const { program } = env
  try {
    await commands(env).parseAsync([...program.arguments], { from: 'user' })
  } catch (error) {
    const { code, text } = lastWords(error)
    if (text !== '') await program.stderr.write(`${text}\n`).catch(() => undefined)
    program.exit(code)
  }
}

function commands(env: Env): Command {
  const broker = new Command('minikafka-broker')
    .description('A broker of minikafka: keeps topics on disk, serves producers and consumers.')
    .version(VERSION)
    .exitOverride()
    // A sub-command's own flags are its own, also where the broker has the same.
    .enablePositionalOptions()
    .configureOutput({
      outputError: () => {},
      writeOut: (text) => void env.program.stdout.write(text).catch(() => undefined),
    })
    .addHelpText('after', HELP)
  addSettings(broker)
  broker
    .option('--config <file>', 'YAML file with settings by name')
    .option(
      '--dev',
      'throw-away broker: temporary directory, auto-created topics, flush=os, a free port if 9092 is taken',
    )
    .action(async (options: Record<string, unknown>) => {
      const { serve } = await import('./serve.ts')
      await serve(env, await layersOf(env, options), {
        dev: options.dev === true,
        configFile: options.config as string,
      })
    })
  inspectCommands(env, broker)
  configCommands(env, broker)
  return broker
}

function inspectCommands(env: Env, broker: Command): void {
  broker
    .command('dump-log')
    .description("print the batches of segment files, a live broker's too")
    .argument('<file...>', 'segment files (.log)')
    .option('--records', 'print every record')
    .option('--from <offset>', 'begin at the batch with this offset', '0')
    .action(async (files: string[], options: { records?: boolean; from: string }) => {
      const { dump } = await import('./inspect.ts')
      await printing(env, () => dump(env, files, options))
    })
  broker
    .command('verify')
    .description(
      'check every file of a data directory; reads only, refuses one in use; exit code 1 if something is wrong',
    )
    .argument('<directory>', 'a data directory')
    .option('--deep', 'read every batch and check its CRC')
    .action(async (directory: string, options: { deep?: boolean }) => {
      const { verify } = await import('./inspect.ts')
      await printing(env, () => verify(env, directory, options))
    })
  broker
    .command('repair')
    .description(
      'make a damaged partition whole again, at the price of what is damaged: says what is lost, then asks; keeps copies; refuses a directory in use',
    )
    .argument('<directory>', 'a data directory')
    .argument('<partition>', 'a partition in it, like orders-0')
    .option('--truncate', 'cut the log at the damage: everything behind it is lost')
    .option('--keep-hole', 'give up the damaged offsets alone; readers hear an error there')
    .option('--dry-run', 'say what would be lost and change nothing')
    .option('-y, --yes', 'do not ask')
    .action(async (directory: string, partition: string, options: RepairFlags) => {
      const { repair } = await import('./repair.ts')
      await repair(env, directory, partition, options)
    })
}

function configCommands(env: Env, broker: Command): void {
  const show = async (options: Record<string, unknown>, showOrigin: boolean | undefined) => {
    const { printConfig } = await import('./print-config.ts')
    const layers = await layersOf(env, options)
    await printing(env, () => printConfig(env, layers, showOrigin))
  }
  const check = broker
    .command('check-config')
    .description('check flags, variables and file; print nothing but what is wrong')
  const print = broker.command('print-config').description('print every setting with its value')
  for (const command of [check, print])
    addSettings(command.option('--config <file>', 'YAML file with settings by name'))
  check.action((options: Record<string, unknown>) => show(options, undefined))
  print
    .option('--show-origin', 'say where each value comes from')
    .action((options: Record<string, unknown>) => show(options, options.showOrigin === true))
}

/** A reader that went away (head, less) has what it wanted. Nothing is said of what was not looked at. */
async function printing({ program }: Env, job: () => Promise<void>): Promise<void> {
  try {
    await job()
  } catch (error) {
    if ((error as { code?: string }).code !== 'EPIPE') throw error
    program.exit(0)
  }
}

function lastWords(error: unknown): { code: number; text: string } {
  if (error instanceof CommanderError) {
    const asked =
      error.code === 'commander.helpDisplayed' ||
      error.code === 'commander.version' ||
      error.code === 'commander.help'
    return asked
      ? { code: error.exitCode, text: '' }
      : { code: USAGE, text: `minikafka-broker: ${oneLine(error)}` }
  }
  if (error instanceof InvalidConfig)
    return { code: USAGE, text: `minikafka-broker: ${error.message}` }
  if (error instanceof StartError)
    return { code: error.exitCode, text: `minikafka-broker: ${error.message}` }
  if (error instanceof StoreDamaged)
    return { code: EXIT.io, text: `minikafka-broker: ${error.message}` }
  if (isMinikafkaError(error) && FOREIGN.has(error.name))
    return { code: EXIT.foreign, text: `minikafka-broker: ${error.message}` }
  if (error instanceof AssertionError)
    return { code: ASSERTION, text: `minikafka-broker: ${error.stack}` }
  return { code: UNEXPECTED, text: `minikafka-broker: ${(error as Error).stack ?? String(error)}` }
}

/** As every other error here: without `error:`, and the suggestion in the same line. */
function oneLine({ code, message }: CommanderError): string {
  if (code === 'commander.excessArguments')
    return 'no such command; there are dump-log, verify, repair, check-config and print-config, and without one the broker serves'
  return message.replace(/^error: /, '').replace(/\n\(Did (you mean .*\?)\)$/, '; did $1')
}

const HELP = `
Every setting is a flag (--log-level), a variable (MINIKAFKA_LOG_LEVEL) and a key of the YAML file (log.level);
a flag goes before a variable, a variable before the file. See docs/config.md.

Examples:
  minikafka-broker                                   serve on 127.0.0.1:9092, data in ./minikafka-data
  minikafka-broker --data-dir /var/lib/minikafka --port 9093
  minikafka-broker --dev                             a broker to play with; everything is gone afterwards
  minikafka-broker print-config --show-origin
  minikafka-broker verify --deep /var/lib/minikafka
  minikafka-broker repair /var/lib/minikafka orders-0 --keep-hole --dry-run
  minikafka-broker dump-log --records data/orders-0/00000000000000000000.log
`
