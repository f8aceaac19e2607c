// What may be typed after `minikafka cluster`.
import type { Command } from 'commander'
import { append, type Open } from './declaration.ts'

export function clusterCommands(minikafka: Command, open: Open): void {
  const cluster = minikafka
    .command('cluster')
    .description('how the cluster is, its brokers and their settings')
    .addHelpText('after', '\nExamples:\n  minikafka cluster info\n  minikafka cluster health')
  declareViews(cluster, open)
  declareHealth(cluster, open)
  declareConfig(cluster, open)
}

function declareViews(cluster: Command, open: Open): void {
  cluster
    .command('info')
    .description('brokers, controller, counts')
    .addHelpText('after', '\nExample:\n  minikafka cluster info -b 127.0.0.1:9092 -O json')
    .action(async (_, command: Command) =>
      (await import('../commands/cluster.ts')).clusterInfo(open(command)),
    )
  cluster
    .command('brokers')
    .description('brokers, what each leads and keeps, the room on its disk')
    .addHelpText('after', '\nExample:\n  minikafka cluster brokers -O wide')
    .action(async (_, command: Command) =>
      (await import('../commands/cluster-brokers.ts')).clusterBrokers(open(command)),
    )
}

function declareHealth(cluster: Command, open: Open): void {
  cluster
    .command('health')
    .description('what is ill: brokers, leaders, replicas, disks; exit code 1 where something is')
    .option('--watch', 'again and again, until it is stopped')
    .option('--exit-when-healthy', 'wait until it is; without a broker, too')
    .option('--interval <duration>', 'between two looks (default: 2s)')
    .addHelpText(
      'after',
      `
Examples:
  minikafka cluster health
  minikafka cluster health --exit-when-healthy --timeout 60s && start-my-service`,
    )
    .action(async (options, command: Command) =>
      (await import('../commands/cluster-health.ts')).clusterHealth(open(command), options),
    )
}

function declareConfig(cluster: Command, open: Open): void {
  const config = cluster
    .command('config')
    .description('settings of the brokers')
    .addHelpText('after', '\nExample:\n  minikafka cluster config get log.retention.ms')
  config
    .command('get')
    .description('settings, and where each comes from')
    .argument('[setting...]', 'these only')
    .option('--broker <broker>', 'of the one with this id (default: the controller)')
    .addHelpText(
      'after',
      '\nExamples:\n  minikafka cluster config get -O wide\n  minikafka cluster config get num.partitions --broker 1',
    )
    .action(async (names: string[], options, command: Command) =>
      (await import('../commands/cluster-config.ts')).configGet(open(command), names, options),
    )
  config
    .command('set')
    .description('change settings while the brokers run; prints old and new')
    .argument('[setting=value...]')
    .option('-d, --delete <setting>', 'back to file, flag or default; may be repeated', append)
    .option('--broker <broker>', 'of the one with this id (default: all)')
    .option('--dry-run', 'check everything, print the plan, change nothing')
    .addHelpText(
      'after',
      '\nExamples:\n  minikafka cluster config set log.retention.ms=3d --dry-run\n  minikafka cluster config set -d log.retention.ms',
    )
    .action(async (pairs: string[], options, command: Command) =>
      (await import('../commands/cluster-config.ts')).configSet(open(command), pairs, options),
    )
}
