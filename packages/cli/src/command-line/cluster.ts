// What may be typed after `minikafka cluster`.
import type { Command } from 'commander'
import type { Open } from './declaration.ts'

export function clusterCommands(minikafka: Command, open: Open): void {
  minikafka
    .command('cluster')
    .description('about the cluster')
    .addHelpText('after', '\nExample:\n  minikafka cluster info')
    .command('info')
    .description('brokers, controller, counts')
    .addHelpText('after', '\nExample:\n  minikafka cluster info -b 127.0.0.1:9092 -O json')
    .action(async (_, command: Command) =>
      (await import('../commands/cluster.ts')).clusterInfo(open(command)),
    )
}
