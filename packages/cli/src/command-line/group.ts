// What may be typed after `minikafka group`.
import type { Command } from 'commander'
import { append, type Open } from './declaration.ts'

export function groupCommands(minikafka: Command, open: Open): void {
  const group = minikafka
    .command('group')
    .description('look at consumer groups, send them elsewhere, delete them')
    .addHelpText(
      'after',
      '\nExamples:\n  minikafka group list\n  minikafka group explain billing\n  minikafka group lag billing --max 1000',
    )
  declareViews(group, open)
  declareLag(group, open)
  declareSeek(group, open)
  declareChanges(group, open)
}

function declareViews(group: Command, open: Open): void {
  group
    .command('list')
    .description('list groups')
    .addHelpText('after', '\nExample:\n  minikafka group list -O jsonl')
    .action(async (_, command: Command) =>
      (await import('../commands/group-views.ts')).groupList(open(command)),
    )
  group
    .command('describe')
    .description('state, members, who has what, how far behind')
    .argument('<group...>')
    .addHelpText('after', '\nExample:\n  minikafka group describe billing -O wide')
    .action(async (names: string[], _, command: Command) =>
      (await import('../commands/group-views.ts')).groupDescribe(open(command), names),
    )
  group
    .command('explain')
    .description('why a group is as it is, in a paragraph')
    .argument('<group>')
    .addHelpText('after', '\nExample:\n  minikafka group explain billing')
    .action(async (name: string, _, command: Command) =>
      (await import('../commands/group-explain.ts')).groupExplain(open(command), name),
    )
}

function declareLag(group: Command, open: Open): void {
  group
    .command('lag')
    .description('records between what is committed and the end, by partition')
    .argument('<group>')
    .option('--watch', 'again and again, until it is stopped')
    .option('--interval <duration>', 'between two looks with --watch (default: 2s)')
    .option('--max <n|duration>', 'exit code 1 where a partition is further behind than that')
    .addHelpText(
      'after',
      '\nExamples:\n  minikafka group lag billing --watch\n  minikafka group lag billing --max 5m',
    )
    .action(async (name: string, options, command: Command) =>
      (await import('../commands/group-lag.ts')).groupLag(open(command), name, options),
    )
}

function declareSeek(group: Command, open: Open): void {
  group
    .command('seek')
    .description('send a group without members elsewhere; prints old and new')
    .argument('<group>')
    .option('--to <point>', 'start, end, N, +N, -N, @TIME, or shift:±N from where it stands')
    .option('--to-group <group>', 'where that group stands')
    .option('--to-file <file>', 'lines topic,partition,offset, or JSON lines as printed here')
    .option('--topics <topic,…>', 'these topics, whole (default: where something is committed)')
    .option('--dry-run', 'print what would be done, do nothing')
    .addHelpText(
      'after',
      `
Points: minikafka help offsets.

Examples:
  minikafka group seek billing --to @2026-01-31 --topics orders --dry-run
  minikafka group seek billing --to shift:-100
  minikafka group lag billing -O jsonl >places
  minikafka group seek copy --to-file places`,
    )
    .action(async (name: string, options, command: Command) =>
      (await import('../commands/group-seek.ts')).groupSeek(open(command), name, options),
    )
}

function declareChanges(group: Command, open: Open): void {
  group
    .command('members')
    .description('who is in a group')
    .argument('<group>')
    .option('--remove <id>', 'take this member out; may be repeated', append)
    .addHelpText(
      'after',
      '\nA member that is alive comes back with its next heartbeat.\n\nExample:\n  minikafka group members billing --remove 0b5e7a0e-54c8-4d5a-9d0f-3c1d5e8a7b11',
    )
    .action(async (name: string, options, command: Command) =>
      (await import('../commands/group-members.ts')).groupMembers(open(command), name, options),
    )
  group
    .command('delete')
    .description('delete groups without members, and where they stood; asks first')
    .argument('<group...>')
    .option('--dry-run', 'print what would be deleted, delete nothing')
    .addHelpText('after', '\nExample:\n  minikafka group delete billing --yes')
    .action(async (names: string[], options, command: Command) =>
      (await import('../commands/group-members.ts')).groupDelete(open(command), names, options),
    )
}
