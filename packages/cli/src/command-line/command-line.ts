// What may be typed: global options, commands, their help. Commands are loaded when they run.
// Enters: what the program has. Leaves: a Command whose errors are sentences that name the nearest word and where to read on.
import type { Env } from '@minikafka/client'
import { Command, CommanderError } from 'commander'
import { OUTPUTS, type Profile } from '../preferences.ts'
import type { GlobalOptions, Session } from '../session.ts'
import { VERSION } from '../version.ts'
import { benchCommands } from './bench.ts'
import { clusterCommands } from './cluster.ts'
import { completionCommands } from './completion.ts'
import { consumeCommand } from './consume.ts'
import { append, type Open } from './declaration.ts'
import { groupCommands } from './group.ts'
import { healthCommands } from './health.ts'
import { helpCommand } from './help.ts'
import { produceCommand } from './produce.ts'
import { profileCommands } from './profile.ts'
import { topicCommands } from './topic.ts'
import { verifiableCommands } from './verifiable.ts'
import { watchCommands } from './watch.ts'

export function commandLine(
  env: Env,
  signal: AbortSignal,
  began: (session: Session) => void,
): Command {
  const open: Open = (command, part) => {
    const globals = command.optsWithGlobals<GlobalOptions>()
    if (loaded === undefined) throw new Error('a session is opened by a command that runs')
    const session = new loaded.Session(env, globals, signal, { ...(part ? { part } : {}), profile })
    began(session)
    return session
  }
  let loaded: typeof import('../session.ts') | undefined
  let profile: Profile | undefined
  const minikafka = root(env).hook('preAction', async (_, command) => {
    if (WITHOUT_SESSION.has(command.name())) return
    // With it the client: no help and no mistyped word waits for that.
    loaded = await import('../session.ts')
    if (needsNoProfile(command)) return
    const { profile: flag } = command.optsWithGlobals<GlobalOptions>()
    profile = await (await import('../profiles.ts')).profileInUse(env, flag)
  })
  topicCommands(minikafka, open)
  produceCommand(minikafka, open)
  consumeCommand(minikafka, open)
  groupCommands(minikafka, open)
  clusterCommands(minikafka, open)
  watchCommands(minikafka, open)
  healthCommands(minikafka, open)
  benchCommands(minikafka, open)
  profileCommands(minikafka, open)
  completionCommands(minikafka, env, signal)
  verifiableCommands(minikafka, open)
  helpCommand(minikafka, env)
  finish(minikafka, '')
  return minikafka
}

const WITHOUT_SESSION: ReadonlySet<string> = new Set(['help', 'completion', '__complete'])

/** What must work also where the file of the profiles is broken, or is not there yet. */
function needsNoProfile(command: Command): boolean {
  return command.parent?.name() === 'profile'
}

function root({ program }: Env): Command {
  const { stdout, stderr } = program
  return new Command('minikafka')
    .description('The command line of minikafka.')
    .version(VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this; with a command: its help')
    .configureHelp({ subcommandTerm: (command) => command.name() })
    .configureOutput({
      writeOut: (text) => void stdout.write(text).catch(() => undefined),
      writeErr: (text) => void stderr.write(text).catch(() => undefined),
      outputError: () => {},
      getOutHelpWidth: () => (stdout.isTTY ? stdout.columns : WIDTH),
      getErrHelpWidth: () => (stderr.isTTY ? stderr.columns : WIDTH),
    })
    .option('-b, --brokers <H:P,…>', 'ask these first (default: 127.0.0.1:9092)')
    .option('--profile <profile>', 'the brokers and options of this profile (minikafka profile)')
    .option('-O, --output <format>', `${OUTPUTS.join(', ')} (default: text)`)
    .option('--timeout <duration>', 'for each wait for a broker (default: 10s)')
    .option('-X, --option <name=value>', 'an option of the SDK: requestTimeoutMs=5000', append)
    .option('-q, --quiet', 'no progress, no summaries, no logs')
    .option('-v, --verbose', 'say more; -vv: more than that', (_, count: number) => count + 1, 0)
    .option('--no-color', 'no colours')
    .option('-y, --yes', 'do not ask before what destroys')
    .addHelpText('after', EXAMPLES)
}

const WIDTH = 80

const EXAMPLES = `
Variables: MINIKAFKA_BROKERS, _PROFILE, _OUTPUT, _TIMEOUT, NO_COLOR. A flag goes
before its variable, that before the profile (minikafka profile show).

Examples:
  minikafka topic create hello -p 3
  minikafka produce hello 'first record'
  minikafka consume hello -e
  minikafka cluster info

More: minikafka help formats | offsets | exit-codes, minikafka <command> --help`

/** What all commands have in common, at every level. */
function finish(command: Command, path: string): void {
  const here = path === '' ? command.name() : `${path} ${command.name()}`
  command.helpCommand(false).exitOverride((error) => {
    throw new CommanderError(error.exitCode, error.code, sentence(error.message, here))
  })
  if (path !== '' && command.commands.length === 0)
    command.addHelpText('after', '\nOptions of all commands: minikafka --help')
  for (const child of command.commands) finish(child, here)
}

/** `error: unknown option '--fike'\n(Did you mean --file?)` in one line, and where the right words stand. */
function sentence(message: string, path: string): string {
  const [what = '', guess = ''] = message.replace(/^error: |\.$/g, '').split('\n')
  const near = /^\(Did you mean (.+)\?\)$/.exec(guess)?.[1]
  return near === undefined ? `${what} (see ${path} --help)` : `${what}; did you mean ${near}?`
}
