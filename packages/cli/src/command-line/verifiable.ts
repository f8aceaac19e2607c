// What may be typed after `minikafka verifiable-producer` and `verifiable-consumer`: the flags of Kafka's tools.
import type { Command } from 'commander'
import type { Open } from './declaration.ts'

export function verifiableCommands(minikafka: Command, open: Open): void {
  minikafka
    .command('verifiable-producer')
    .description("Kafka's: produces numbers, prints what became of each as JSON")
    .requiredOption('--topic <topic>', 'where to')
    .option('--max-messages <n>', 'so many; -1: until it is stopped (default: -1)')
    .option('--throughput <n>', 'a second; -1: as many as go (default: -1)')
    .option('--acks <n>', '0, 1 or -1 (default: -1)')
    .option('--value-prefix <n>', 'values are N.0, N.1, …')
    .option('--repeating-keys <n>', 'keys are 0 to N-1, again and again')
    .option('--message-create-time <ms>', 'timestamps begin there')
    .addHelpText(
      'after',
      `
Events and fields are those of Kafka's VerifiableProducer: startup_complete,
producer_send_success, producer_send_error, shutdown_complete, tool_data.

Example:
  minikafka verifiable-producer --topic orders --max-messages 1000 --throughput 100`,
    )
    .action(async (options, command: Command) =>
      (await import('../commands/verifiable/producer.ts')).verifiableProducer(
        open(command, 'producer'),
        options,
      ),
    )
  minikafka
    .command('verifiable-consumer')
    .description("Kafka's: reads as a member of a group, prints events as JSON")
    .requiredOption('--topic <topic>', 'what to read')
    .requiredOption('--group-id <group>', 'as a member of which group')
    .option('--group-instance-id <id>', 'a static member of that name')
    .option('--max-messages <n>', 'so many; -1: until it is stopped (default: -1)')
    .option('--reset-policy <policy>', 'where nothing is committed: earliest, latest or none')
    .option('--enable-autocommit', 'commit in the background, and do not tell')
    .addHelpText(
      'after',
      `
Events and fields are those of Kafka's VerifiableConsumer: startup_complete,
partitions_assigned, partitions_revoked, records_consumed,
offsets_committed, shutdown_complete; record_data for each record with --verbose.

Example:
  minikafka verifiable-consumer --topic orders --group-id check --max-messages 1000`,
    )
    .action(async (options, command: Command) =>
      (await import('../commands/verifiable/consumer.ts')).verifiableConsumer(
        open(command, 'consumer'),
        options,
      ),
    )
}
