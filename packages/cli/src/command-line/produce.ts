// What may be typed after `minikafka produce`.
import { type Command, Option } from 'commander'
import { append, type Open } from './declaration.ts'

export function produceCommand(minikafka: Command, open: Open): void {
  minikafka
    .command('produce')
    .description('send records: values, lines of stdin, or a file')
    .argument('<topic>')
    .argument('[value...]', 'records; without one: lines of stdin')
    .option('-D, --delimiter <text>', 'what ends a record (default: \\n)')
    .option('-K, --key-delimiter <text>', 'what stands between key and value')
    .addOption(
      new Option('-J, --json', 'input is JSON lines (minikafka help formats)').conflicts([
        'keyDelimiter',
        'format',
      ]),
    )
    .addOption(
      new Option(
        '-f, --format <format>',
        "input is as consume -f prints it, e.g. '%k %v\\n'",
      ).conflicts(['delimiter', 'keyDelimiter']),
    )
    .option('-k, --key <key>', 'key of every record')
    .option('-H, --header <name=value>', 'a header of every record; may be repeated', append)
    .option('-p, --partition <n>', 'partition of every record')
    .option('-Z, --empty-null', 'an empty key or value is null')
    .option('-z, --compression <codec>', 'none, gzip, lz4, snappy or zstd (default: none)')
    .option('--acks <n>', 'all, leader or none (default: all)')
    .option('--file <path>', 'read a file instead of stdin')
    .option('--rate <n>', 'at most so many records a second; 10/1m: in a time')
    .option('--count <n>', 'stop after so many records')
    .option('--tee', 'print each value, too')
    .addHelpText('after', HELP)
    .action(async (topic: string, values: string[], options, command: Command) =>
      (await import('../commands/produce.ts')).produce(
        open(command, 'producer'),
        topic,
        values,
        options,
      ),
    )
}

const HELP = `
-v prints topic[partition]@offset of each record.

Examples:
  minikafka produce orders -k c-42 -H source=web '{"id":"o-1"}'
  minikafka produce orders -K : --file keys-and-values.txt
  minikafka consume orders -o @-1h: -e -J | minikafka produce orders-copy -J`
