// What may be typed after `minikafka bench`.
import type { Command } from 'commander'
import type { Open } from './declaration.ts'

export function benchCommands(minikafka: Command, open: Open): void {
  const bench = minikafka
    .command('bench')
    .description('how fast it is: throughput and latency, measured from here')
    .addHelpText(
      'after',
      '\nExamples:\n  minikafka bench produce --clients 4\n  minikafka bench e2e --rate 1000 --duration 30s',
    )
  produceBench(bench, open)
  consumeBench(bench, open)
  e2eBench(bench, open)
  latencyBench(bench, open)
}

function produceBench(bench: Command, open: Open): void {
  withSending(load(bench, 'produce', 'as many records as go, or --rate of them'))
    .option('--rate <n>', 'records a second of all clients; one that is late counts from when due')
    .addHelpText(
      'after',
      `${ABOUT}
Latency: from handing a record over (with --rate: from when it was due, so that
waiting counts) to its acknowledgement. Without --rate the buffers are full, and
latency is mostly the wait in them.

Examples:
  minikafka bench produce --size 100 --records 1000000
  minikafka bench produce orders-test --rate 5000 --histogram produce.hgrm`,
    )
    .action(async (topic: string | undefined, options, command: Command) =>
      (await import('../commands/bench/bench.ts')).bench(
        open(command, 'producer'),
        'produce',
        topic,
        options,
      ),
    )
}

function consumeBench(bench: Command, open: Open): void {
  withPayload(load(bench, 'consume', 'reads a topic from its start'))
    .addHelpText(
      'after',
      `${ABOUT}
A topic of its own is filled first, with --records (default: 100000); one that
is named is read as it is, up to its end. Latency: of one fetch, from the
question to the answer.

Examples:
  minikafka bench consume --records 1000000 --partitions 4 --clients 2
  minikafka bench consume orders --duration 30s`,
    )
    .action(async (topic: string | undefined, options, command: Command) =>
      (await import('../commands/bench/bench.ts')).bench(
        open(command, 'consumer'),
        'consume',
        topic,
        options,
      ),
    )
}

function e2eBench(bench: Command, open: Open): void {
  withSending(load(bench, 'e2e', 'from producer to consumer, at a rate'))
    .option('--rate <n>', 'records a second of all clients (default: 1000)')
    .addHelpText(
      'after',
      `${ABOUT}
Latency: from when a record was due to when its consumer hands it out.

Examples:
  minikafka bench e2e
  minikafka bench e2e --rate 20000 --partitions 6 --duration 1m -O json`,
    )
    .action(async (topic: string | undefined, options, command: Command) =>
      (await import('../commands/bench/bench.ts')).bench(
        open(command, 'producer'),
        'e2e',
        topic,
        options,
      ),
    )
}

function latencyBench(bench: Command, open: Open): void {
  withSending(load(bench, 'latency', 'one record at a time: what an idle producer sees'))
    .addHelpText(
      'after',
      `${ABOUT}
Each client has one record under way. Latency: from send to acknowledgement.

Examples:
  minikafka bench latency --acks leader
  minikafka bench latency --clients 8 --duration 30s`,
    )
    .action(async (topic: string | undefined, options, command: Command) =>
      (await import('../commands/bench/bench.ts')).bench(
        open(command, 'producer'),
        'latency',
        topic,
        options,
      ),
    )
}

const ABOUT = `
Without a topic it makes one for itself and removes it at the end.`

function load(bench: Command, name: string, about: string): Command {
  return bench
    .command(name)
    .description(about)
    .argument('[topic]')
    .option('--size <bytes>', 'of a value (default: 1024)')
    .option('--records <n>', 'stop after so many')
    .option('--duration <duration>', 'stop after so long (default without --records: 10s)')
    .option('--clients <n>', 'each with connections of its own (default: 1)')
    .option('--partitions <n>', 'of the topic that is made (default: 1)')
    .option('--warmup <duration>', 'what is measured begins after that (default: 1s)')
    .option('--histogram <file>', 'write all percentiles, as HdrHistogram plots them')
}

function withPayload(command: Command): Command {
  return command.option(
    '--payload-file <file>',
    'values are its lines, in turn (default: random bytes)',
  )
}

function withSending(command: Command): Command {
  return withPayload(command)
    .option('--acks <who>', 'all, leader or none (default: all)')
    .option('--linger <duration>', "how long a batch waits for more (default: the SDK's)")
    .option('--compression <codec>', 'none, gzip, lz4, snappy or zstd (default: none)')
    .option('--batch <bytes>', "largest batch (default: the SDK's)")
}
