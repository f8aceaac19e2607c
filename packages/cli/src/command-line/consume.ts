// What may be typed after `minikafka consume`.
import { type Command, Option } from 'commander'
import { append, type Open } from './declaration.ts'

export function consumeCommand(minikafka: Command, open: Open): void {
  minikafka
    .command('consume')
    .description('print records; follows until it is stopped')
    .argument('<topic...>')
    .option('-o, --offset <offset>', 'where to begin, or a range (default: start)')
    .option('-e, --exit', 'stop at the end, as it is now')
    .option('-n, --count <n>', 'stop after so many records')
    .option('-p, --partitions <n,…>', 'these partitions only')
    .option('-f, --format <format>', 'how to print (default: %v\\n)')
    .addOption(
      new Option('-J, --json', 'print JSON lines, as produce -J reads them').conflicts('format'),
    )
    .option('--grep <regex>', 'only values that match')
    .option('--key <key>', 'only this key')
    .option('--header <name=value>', 'only with this header; may be repeated', append)
    .addOption(
      new Option('--meta-only', 'JSON lines with the size of the value in its place').conflicts(
        'format',
      ),
    )
    .option('--regex', 'topics are regular expressions, for whole names')
    .option('--uncommitted', 'also records of open and aborted transactions')
    .option(
      '-g, --group <group>',
      'as a member of this group: shares the partitions, commits; -o: where nothing is committed',
    )
    .addHelpText('after', HELP)
    .action(async (topics: string[], options, command: Command) =>
      (await import('../commands/consume.ts')).consume(open(command, 'consumer'), topics, options),
    )
}

const HELP = `
Offsets and formats: minikafka help offsets, minikafka help formats.

Examples:
  minikafka consume orders -o -10 -e
  minikafka consume orders -o @-1h: --grep error
  minikafka consume orders -g billing -o start
  minikafka consume orders -o end -f '%p@%o %k: %v\\n'`
