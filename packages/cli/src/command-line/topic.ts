// What may be typed after `minikafka topic`.
import type { Command } from 'commander'
import { append, type Open } from './declaration.ts'
import { topicPlaces } from './topic-places.ts'

export function topicCommands(minikafka: Command, open: Open): void {
  const topic = minikafka
    .command('topic')
    .description('create, look at, change, copy and delete topics')
    .addHelpText(
      'after',
      '\nExamples:\n  minikafka topic create orders -p 6\n  minikafka topic list --sizes',
    )
  declareCreate(topic, open)
  declareList(topic, open)
  declareDescribe(topic, open)
  declareAlter(topic, open)
  declareDelete(topic, open)
  topicPlaces(topic, open)
}

function declareCreate(topic: Command, open: Open): void {
  topic
    .command('create')
    .description('create topics')
    .argument('<name...>')
    .option('-p, --partitions <n>', "how many partitions (default: the broker's num.partitions)")
    .option('-r, --replicas <n>', "copies of each partition (default: the broker's)")
    .option(
      '-c, --config <setting=value>',
      'a setting, e.g. retention.ms=7d; may be repeated',
      append,
    )
    .option('--if-not-exists', 'an existing topic is fine')
    .option('--dry-run', 'check everything, print the plan, create nothing')
    .addHelpText('after', '\nExample:\n  minikafka topic create orders -p 6 -c retention.ms=7d')
    .action(async (names: string[], options, command: Command) =>
      (await import('../commands/topic.ts')).topicCreate(open(command), names, options),
    )
}

function declareList(topic: Command, open: Open): void {
  topic
    .command('list')
    .description('list topics')
    .option('--sizes', 'with their size on disk')
    .option('--internal', "with the brokers' own")
    .addHelpText('after', '\nExample:\n  minikafka topic list --sizes -O jsonl')
    .action(async (options, command: Command) =>
      (await import('../commands/topic-views.ts')).topicList(open(command), options),
    )
}

function declareDescribe(topic: Command, open: Open): void {
  topic
    .command('describe')
    .description('partitions, leaders, offsets and settings of topics')
    .argument('<topic...>')
    .addHelpText('after', '\nExample:\n  minikafka topic describe orders -O wide')
    .action(async (names: string[], _, command: Command) =>
      (await import('../commands/topic-views.ts')).topicDescribe(open(command), names),
    )
}

function declareAlter(topic: Command, open: Open): void {
  topic
    .command('alter')
    .description('change settings of a topic')
    .argument('<topic>')
    .option('-c, --config <setting=value>', 'set it; may be repeated', append)
    .option('-d, --delete <setting>', 'back to the default; may be repeated', append)
    .option('--dry-run', 'check everything, print the plan, change nothing')
    .addHelpText('after', '\nExample:\n  minikafka topic alter orders -c retention.ms=1d -d flush')
    .action(async (name: string, options, command: Command) =>
      (await import('../commands/topic.ts')).topicAlter(open(command), name, options),
    )
}

function declareDelete(topic: Command, open: Open): void {
  topic
    .command('delete')
    .description('delete topics with all their records; asks first')
    .argument('<topic...>')
    .option('--if-exists', 'a missing topic is fine')
    .option('--regex', 'names are regular expressions, for whole names')
    .option('--dry-run', 'print what would be deleted, delete nothing')
    .addHelpText('after', "\nExample:\n  minikafka topic delete --regex 'test-.*' --yes")
    .action(async (names: string[], options, command: Command) =>
      (await import('../commands/topic.ts')).topicDelete(open(command), names, options),
    )
}
