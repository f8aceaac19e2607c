// The command line: commands, options, exit codes. Commands load what they need when they run.
import { type Env, isMinikafkaError } from '@minikafka/client'
import { Command, CommanderError } from 'commander'
import { HELP_PAGES } from './help.ts'
import { type GlobalOptions, OUTPUTS, Session } from './session.ts'
import { EXIT, UsageError } from './usage-error.ts'
import { VERSION } from './version.ts'

const EXIT_BY_SIGNAL = { SIGINT: 130, SIGTERM: 143 } as const
type Exit = { code: number; text: string }

export async function main(env: Env): Promise<void> {
  const { program } = env
  const sessions: Session[] = []
  let exit: Exit = { code: EXIT.done, text: '' }
  try {
    await commands(env, (session) => {
      sessions.push(session)
      endBySignals(session)
    }).parseAsync([...program.arguments], { from: 'user' })
  } catch (error) {
    exit = exitOf(error)
  }
  for (const session of sessions) await session.close().catch(() => undefined)
  if (exit.text !== '')
    await program.stderr.write(`minikafka: ${exit.text}\n`).catch(() => undefined)
  program.exit(exit.code)
}

/** The first signal finishes what is in hand, the second ends at once. */
function endBySignals(session: Session): void {
  const { program } = session.env
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    let count = 0
    program.onSignal(signal, () => {
      if (count++ > 0) program.exit(EXIT_BY_SIGNAL[signal])
      session.stop()
    })
  }
}

// --- commands ----------------------------------------------------------------------------------

function commands(env: Env, began: (session: Session) => void): Command {
  const minikafka = new Command('minikafka')
    .description('The command line of minikafka.')
    .version(VERSION)
    .exitOverride()
    .configureOutput({
      outputError: () => {},
      writeOut: (text) => void env.program.stdout.write(text).catch(() => undefined),
    })
    .helpCommand(false)
    .option(
      '-b, --brokers <H:P,…>',
      'brokers to ask first (MINIKAFKA_BROKERS; default 127.0.0.1:9092)',
    )
    .option(
      '-X, --option <name=value>',
      'an option of the SDK, e.g. requestTimeoutMs=5000',
      append,
      [],
    )
    .option('-O, --output <format>', OUTPUTS.join(' | '), 'text')
    .option('--timeout <duration>', 'for each step that waits for a broker', '10s')
    .option('-q, --quiet', 'no progress, no summaries')
    .option('-v, --verbose', 'say more; twice: even more', (_, count: number) => count + 1, 0)
    .option('--no-color', 'no colours (NO_COLOR)')
    .option('-y, --yes', 'do not ask before what destroys')
    .addHelpText('after', EXAMPLES)
  const open = (command: Command): Session => {
    const session = new Session(env, command.optsWithGlobals<GlobalOptions>())
    began(session)
    return session
  }
  topicCommands(minikafka, open)
  recordCommands(minikafka, open)
  clusterCommands(minikafka, open)
  minikafka
    .command('help')
    .description('help, also about formats, offsets and exit-codes')
    .argument('[page]')
    .action(async (page: string | undefined) => {
      const text =
        page === undefined
          ? minikafka.helpInformation()
          : (new Map(Object.entries(HELP_PAGES)).get(page) ??
            minikafka.commands.find((one) => one.name() === page)?.helpInformation())
      if (text === undefined)
        throw new UsageError(
          `no help page ${page}: ${Object.keys(HELP_PAGES).join(', ')}, or a command`,
        )
      await env.program.stdout.write(text)
    })
  return minikafka
}

type Open = (command: Command) => Session

function append(value: string, before: string[] = []): string[] {
  return [...before, value]
}

function topicCommands(minikafka: Command, open: Open): void {
  const topic = minikafka
    .command('topic')
    .description('create, list, describe, alter, delete topics')
  const load = () => import('./commands/topic.ts')
  topic
    .command('create')
    .description('create topics')
    .argument('<name...>')
    .option('-p, --partitions <n>', 'how many partitions (default: num.partitions of the broker)')
    .option('-r, --replicas <n>', 'copies of each partition')
    .option('-c, --config <name=value>', 'a setting, e.g. retention.ms=7d', append)
    .option('--if-not-exists', 'an existing topic is fine')
    .option('--dry-run', 'check everything, create nothing')
    .addHelpText('after', '\nExample:\n  minikafka topic create orders -p 6 -c retention.ms=7d')
    .action(async (names: string[], options, command: Command) =>
      (await load()).topicCreate(open(command), names, options),
    )
  topic
    .command('list')
    .description('list topics')
    .option('--sizes', 'with their size on disk')
    .option('--internal', "with the brokers' own")
    .addHelpText('after', '\nExample:\n  minikafka topic list --sizes -O jsonl')
    .action(async (options, command: Command) => (await load()).topicList(open(command), options))
  topic
    .command('describe')
    .description('partitions, leaders, offsets and settings of topics')
    .argument('<name...>')
    .addHelpText('after', '\nExample:\n  minikafka topic describe orders -O wide')
    .action(async (names: string[], _, command: Command) =>
      (await load()).topicDescribe(open(command), names),
    )
  topic
    .command('alter')
    .description('change settings of a topic')
    .argument('<name>')
    .option('-c, --config <name=value>', 'set', append)
    .option('-d, --delete <name>', 'back to the default', append)
    .option('--dry-run', 'check everything, change nothing')
    .addHelpText('after', '\nExample:\n  minikafka topic alter orders -c retention.ms=1d -d flush')
    .action(async (name: string, options, command: Command) =>
      (await load()).topicAlter(open(command), name, options),
    )
  topic
    .command('delete')
    .description('delete topics with all their records')
    .argument('<name...>')
    .option('--if-exists', 'a missing topic is fine')
    .option('--regex', 'names are regular expressions for whole names')
    .option('--dry-run', 'say what would be deleted')
    .addHelpText('after', "\nExample:\n  minikafka topic delete --regex 'test-.*' --yes")
    .action(async (names: string[], options, command: Command) =>
      (await load()).topicDelete(open(command), names, options),
    )
}

function recordCommands(minikafka: Command, open: Open): void {
  minikafka
    .command('produce')
    .description('send records: values given, lines of stdin, or a file')
    .argument('<topic>')
    .argument('[value...]', 'without one: lines of stdin')
    .option('-D, --delimiter <text>', 'between records', '\\n')
    .option('-K, --key-delimiter <text>', 'between key and value')
    .option('-k, --key <key>', 'key of every record')
    .option('-H, --header <name=value>', 'a header of every record', append)
    .option('-p, --partition <n>', 'partition of every record')
    .option('-Z, --empty-null', 'an empty key or value is null')
    .option('-z, --compression <codec>', 'none, gzip, lz4, snappy or zstd')
    .option('--acks <n>', 'all, leader or none')
    .option('-J, --json', 'input is JSON lines (minikafka help formats)')
    .option('--file <path>', 'read a file instead of stdin')
    .option('--rate <n[/time]>', 'at most so many records, a second or a time')
    .option('--count <n>', 'stop after so many')
    .option('--tee', 'print each value, too')
    .addHelpText(
      'after',
      '\nExamples:\n  minikafka produce orders -k c-42 -H source=web \'{"id":"o-1"}\'\n  minikafka consume orders -o @-1h: -e -J | minikafka produce orders-copy -J',
    )
    .action(async (topic: string, values: string[], options, command: Command) =>
      (await import('./commands/produce.ts')).produce(open(command), topic, values, options),
    )
  minikafka
    .command('consume')
    .description('print records; follows until it is stopped')
    .argument('<topic...>')
    .option('-o, --offset <offset>', 'where to begin, or a range (minikafka help offsets)', 'start')
    .option('-e, --exit', 'stop at the end')
    .option('-n, --count <n>', 'stop after so many')
    .option('-p, --partitions <n,…>', 'these partitions only')
    .option('-g, --group <group>', 'as a member of a consumer group')
    .option('-f, --format <format>', 'how to print (minikafka help formats)', '%v\\n')
    .option('-J, --json', 'print JSON lines')
    .option('--grep <regex>', 'only values that match')
    .option('--key <key>', 'only this key')
    .option('--header <name=value>', 'only with this header', append)
    .option('--meta-only', 'print sizes instead of key and value')
    .option('--uncommitted', 'also records of open and aborted transactions')
    .addHelpText(
      'after',
      "\nExamples:\n  minikafka consume orders -o -10 -e\n  minikafka consume orders -o end -f '%p@%o %k: %v\\n'",
    )
    .action(async (topics: string[], options, command: Command) =>
      (await import('./commands/consume.ts')).consume(open(command), topics, options),
    )
}

function clusterCommands(minikafka: Command, open: Open): void {
  minikafka
    .command('cluster')
    .description('about the cluster')
    .command('info')
    .description('brokers, controller, counts')
    .addHelpText('after', '\nExample:\n  minikafka cluster info -b 127.0.0.1:9092 -O json')
    .action(async (_, command: Command) =>
      (await import('./commands/cluster.ts')).clusterInfo(open(command)),
    )
}

// --- endings -----------------------------------------------------------------------------------

function exitOf(error: unknown): Exit {
  if (error instanceof CommanderError) {
    const asked = ['commander.helpDisplayed', 'commander.version', 'commander.help'].includes(
      error.code,
    )
    return asked
      ? { code: error.exitCode, text: '' }
      : { code: EXIT.usage, text: error.message.replace(/^error: /, '') }
  }
  if (error instanceof UsageError) return { code: EXIT.usage, text: error.message }
  if ((error as { code?: unknown }).code === 'EPIPE') return { code: EXIT.done, text: '' }
  if (!isMinikafkaError(error)) return { code: EXIT.failed, text: (error as Error).message }
  if (NOT_FOUND.has(error.name)) return { code: EXIT.notFound, text: error.message }
  if (TIMED_OUT.has(error.name)) return { code: EXIT.timedOut, text: error.message }
  return { code: error.name === 'INVALID_OPTION' ? EXIT.usage : EXIT.failed, text: error.message }
}

const NOT_FOUND: ReadonlySet<string> = new Set(['UNKNOWN_TOPIC_OR_PARTITION', 'UNKNOWN_TOPIC_ID'])
const TIMED_OUT: ReadonlySet<string> = new Set([
  'TIMED_OUT',
  'REQUEST_TIMED_OUT',
  'DELIVERY_TIMED_OUT',
])

const EXAMPLES = `
Examples:
  minikafka topic create hello -p 3
  minikafka produce hello 'first record'
  minikafka consume hello -e
  minikafka cluster info

More: minikafka help formats | offsets | exit-codes
`
