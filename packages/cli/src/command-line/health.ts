// What may be typed after `minikafka doctor`, `minikafka check` and `minikafka debug`.
import { type Command, Option } from 'commander'
import type { Open } from './declaration.ts'

export function healthCommands(minikafka: Command, open: Open): void {
  declareDoctor(minikafka, open)
  const check = minikafka
    .command('check')
    .description('is it well? exit code 1 if not; for monitoring, too')
    .addHelpText(
      'after',
      '\nExamples:\n  minikafka check connection\n  minikafka check group billing --max 5m --format nagios',
    )
  declareChecks(check, open)
  declareBundle(minikafka, open)
}

function declareDoctor(minikafka: Command, open: Open): void {
  minikafka
    .command('doctor')
    .description('looks for what commonly goes wrong, and says what to do about it')
    .addHelpText(
      'after',
      `
It looks at: the advertised addresses as seen from here, clocks, free disk space,
file descriptors, when records are synced, versions. Exit code 1 where there is
a problem; a warning is none.

Examples:
  minikafka doctor
  minikafka doctor -b broker.example:9092 -O json`,
    )
    .action(async (_, command: Command) =>
      (await import('../commands/health/doctor.ts')).doctor(open(command)),
    )
}

function declareChecks(check: Command, open: Open): void {
  formatted(check.command('connection').description('dials every advertised address'))
    .addHelpText(
      'after',
      `${FORMATS}

Example:
  minikafka check connection --format prometheus >/var/lib/node_exporter/mk.prom`,
    )
    .action(async (options, command: Command) =>
      (await import('../commands/health/check.ts')).checkConnection(open(command), options),
    )
  formatted(
    check
      .command('topic')
      .description('every partition has a leader and enough replicas in sync')
      .argument('<topic...>'),
  )
    .addHelpText('after', `${FORMATS}\n\nExample:\n  minikafka check topic orders`)
    .action(async (names: string[], options, command: Command) =>
      (await import('../commands/health/check.ts')).checkTopics(open(command), names, options),
    )
  formatted(
    check
      .command('group')
      .description('somebody reads, and is not too far behind')
      .argument('<group...>')
      .option('--max <n|duration>', 'further behind than that is bad: records, or time'),
  )
    .addHelpText('after', `${FORMATS}\n\nExample:\n  minikafka check group billing --max 1000`)
    .action(async (names: string[], options, command: Command) =>
      (await import('../commands/health/check.ts')).checkGroups(open(command), names, options),
    )
}

const FORMATS = `
--format nagios: one line with figures, and the exit codes of a Nagios plugin
(0 well, 1 warning, 2 bad, 3 unknown). --format prometheus: metrics in text, for
the textfile collector of the node exporter.`

function formatted(command: Command): Command {
  return command.addOption(
    new Option('--format <format>', 'for monitoring, in place of text').choices([
      'nagios',
      'prometheus',
    ]),
  )
}

function declareBundle(minikafka: Command, open: Open): void {
  minikafka
    .command('debug')
    .description('for those who help you')
    .addHelpText('after', '\nExample:\n  minikafka debug bundle')
    .command('bundle')
    .description('the state of all brokers in one JSON file: no records, no secrets')
    .option('--to <file>', 'where; - is stdout (default: minikafka-debug-<cluster>-<time>.json)')
    .addHelpText(
      'after',
      `
In it: brokers with their processes, settings and directories, topics with their
partitions and settings, groups with members and lags, versions. Names of topics
and groups and addresses of members are in it, so look at it before you send it.

Examples:
  minikafka debug bundle
  minikafka debug bundle --to - | gzip >bundle.json.gz`,
    )
    .action(async (options, command: Command) =>
      (await import('../commands/health/bundle.ts')).debugBundle(open(command), options),
    )
}
