// What may be typed after `minikafka topic`, for partitions and the records in them.
import { type Command, Option } from 'commander'
import type { Open } from './declaration.ts'

export function topicPlaces(topic: Command, open: Open): void {
  declareAddPartitions(topic, open)
  declareTrim(topic, open)
  declareOffsets(topic, open)
  declareTail(topic, open)
  declareCopy(topic, open)
  declareStats(topic, open)
}

function declareAddPartitions(topic: Command, open: Open): void {
  topic
    .command('add-partitions')
    .description('give topics more partitions; most keys then have another one')
    .argument('<topic...>')
    .requiredOption('-p, --partitions <n>', 'how many in all; +N: so many more')
    .option('--dry-run', 'check everything, print the plan, change nothing')
    .addHelpText(
      'after',
      `
There is no way back. Records stay where they are; the new ones of a key mostly
go to another partition, and may be read before the old ones.

Examples:
  minikafka topic add-partitions orders -p 12 --dry-run
  minikafka topic add-partitions orders -p +2`,
    )
    .action(async (names: string[], options, command: Command) =>
      (await import('../commands/topic-growth.ts')).topicAddPartitions(
        open(command),
        names,
        options,
      ),
    )
}

function declareTrim(topic: Command, open: Open): void {
  topic
    .command('trim')
    .description('delete the records before an offset; asks first')
    .argument('<topic>')
    .requiredOption('--before <point>', 'N, end, +N, -N or @TIME')
    .option('-p, --partitions <n,…>', 'these partitions only')
    .option('--dry-run', 'print what would be deleted, delete nothing')
    .addHelpText(
      'after',
      `
Points: minikafka help offsets.

Examples:
  minikafka topic trim orders --before @-30d --dry-run
  minikafka topic trim orders --before 1200 -p 3 --yes`,
    )
    .action(async (name: string, options, command: Command) =>
      (await import('../commands/topic-trim.ts')).topicTrim(open(command), name, options),
    )
}

function declareOffsets(topic: Command, open: Open): void {
  topic
    .command('offsets')
    .description('where partitions begin and end, and where a time is in them')
    .argument('<topic>')
    .option('--at <time>', 'the first offset at that time or later; -N: N before the end')
    .option('-p, --partitions <n,…>', 'these partitions only')
    .addHelpText(
      'after',
      `
Times: minikafka help offsets.

Examples:
  minikafka topic offsets orders
  minikafka topic offsets orders --at 2026-01-31T10:00:00Z
  minikafka topic offsets orders --at @-1h -O json`,
    )
    .action(async (name: string, options, command: Command) =>
      (await import('../commands/topic-offsets.ts')).topicOffsets(open(command), name, options),
    )
}

function declareTail(topic: Command, open: Open): void {
  topic
    .command('tail')
    .description('the last records of a topic, by time')
    .argument('<topic>')
    .option('-n, --count <n>', 'so many of all partitions together (default: 10)')
    .option('-p, --partitions <n,…>', 'these partitions only')
    .option('-f, --format <format>', 'how to print (default: %v\\n)')
    .addOption(new Option('-J, --json', 'print JSON lines').conflicts('format'))
    .addHelpText(
      'after',
      `
Formats: minikafka help formats. To follow: minikafka consume.

Examples:
  minikafka topic tail orders
  minikafka topic tail orders -n 3 -f '%p@%o %d{iso} %k: %v\\n'`,
    )
    .action(async (name: string, options, command: Command) =>
      (await import('../commands/topic-tail.ts')).topicTail(
        open(command, 'consumer'),
        name,
        options,
      ),
    )
}

function declareCopy(topic: Command, open: Open): void {
  topic
    .command('copy')
    .description('copy the records there are now: keys, headers, timestamps')
    .argument('<topic>', 'from')
    .argument('<to>', 'another topic; with --to-profile of another cluster')
    .option('--to-profile <profile>', 'to the cluster of this profile')
    .option('-o, --offset <offset>', 'where to begin, or a range (default: start)')
    .option('--create', 'make the other topic, with the same partitions and settings')
    .option('-z, --compression <codec>', 'none, gzip, lz4, snappy or zstd (default: none)')
    .option('--dry-run', 'print what would be copied, copy nothing')
    .addHelpText(
      'after',
      `
Between topics of as many partitions records keep theirs; else keys choose.

Examples:
  minikafka topic copy orders orders-copy --create
  minikafka topic copy orders orders --to-profile test -o @-1d:`,
    )
    .action(async (from: string, to: string, options, command: Command) =>
      (await import('../commands/topic-copy.ts')).topicCopy(open(command), from, to, options),
    )
}

function declareStats(topic: Command, open: Open): void {
  topic
    .command('stats')
    .description('records, bytes and rates by partition; with --scan also keys')
    .argument('<topic>')
    .option('--interval <duration>', 'rates are measured for so long (default: 2s)')
    .option('--scan', 'read all records: keys, sizes, nulls, times')
    .addHelpText(
      'after',
      `
Examples:
  minikafka topic stats orders
  minikafka topic stats orders --scan --interval 10s -O json`,
    )
    .action(async (name: string, options, command: Command) =>
      (await import('../commands/topic-stats.ts')).topicStats(
        open(command, 'consumer'),
        name,
        options,
      ),
    )
}
