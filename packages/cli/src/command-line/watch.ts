// What may be typed after `minikafka top`, `rtt` and `trace`.
import type { Command } from 'commander'
import type { Open } from './declaration.ts'

export function watchCommands(minikafka: Command, open: Open): void {
  minikafka
    .command('top')
    .description('live rates of topics and groups, until it is stopped')
    .option('-n, --count <n>', 'so many looks')
    .option('--interval <duration>', 'rates are over that time (default: 2s)')
    .option(
      '--rows <n>',
      'so many topics and groups, the busiest (default: 20, on a terminal what fits)',
    )
    .option('--internal', "with the brokers' own topics")
    .addHelpText(
      'after',
      `
On a terminal each look takes the place of the one before; elsewhere they follow
one another. The bytes are those that logs grew by: what was written less what
was deleted.

Examples:
  minikafka top
  minikafka top -n 1 --interval 10s
  minikafka top -O jsonl | jq '.groups[] | select(.lag > 1000)'`,
    )
    .action(async (options, command: Command) =>
      (await import('../commands/watch/top.ts')).top(open(command), options),
    )
  minikafka
    .command('rtt')
    .description('round trips to a broker, one after the other, until it is stopped')
    .option('-n, --count <n>', 'so many')
    .option('--interval <duration>', 'from one to the next (default: 1s)')
    .addHelpText(
      'after',
      `
A round trip is an empty request and its answer: the network, and how busy both
ends are. The first to answer of the brokers named is asked.

Examples:
  minikafka rtt -n 10
  minikafka rtt -b broker.example:9092 --interval 200ms -O jsonl`,
    )
    .action(async (options, command: Command) =>
      (await import('../commands/watch/rtt.ts')).rtt(open(command), options),
    )
  minikafka
    .command('trace')
    .description('writes a record, reads it, and says where the time goes')
    .argument('<topic>')
    .option('-n, --count <n>', 'one after the other (default: 3)')
    .option('-p, --partition <n>', 'of the topic (default: 0)')
    .option('--size <bytes>', 'of its value (default: 100)')
    .addHelpText(
      'after',
      `
It appends to the topic: records with a header minikafka-trace, which its
consumers see. The first one also connects and gets a producer id.

Times come from the clock of this machine, but for those of the broker, which
are durations by its own clock. What is between two clocks is one row: the wire
there and back.

Examples:
  minikafka trace orders
  minikafka trace orders -p 2 -n 10 -O jsonl`,
    )
    .action(async (topic: string, options, command: Command) =>
      (await import('../commands/watch/trace.ts')).trace(open(command), topic, options),
    )
}
