// What may be typed after `minikafka profile`.
import type { Command } from 'commander'
import type { Open } from './declaration.ts'

export function profileCommands(minikafka: Command, open: Open): void {
  const profile = minikafka
    .command('profile')
    .description('names for clusters: their brokers and your options')
    .addHelpText(
      'after',
      `
Kept in ~/.config/minikafka/config.yaml, for you alone (mode 0600).

Examples:
  minikafka profile create prod -b k1:9092,k2:9092 --timeout 30s
  minikafka profile use prod
  minikafka topic list --profile test`,
    )
  declareChanges(profile, open)
  declareViews(profile, open)
}

function declareChanges(profile: Command, open: Open): void {
  profile
    .command('create')
    .description('make one of the global options given: -b, -O, --timeout, -X')
    .argument('<name>')
    .option('--use', 'use it from now on (the first one is, in any case)')
    .addHelpText(
      'after',
      '\nExample:\n  minikafka profile create prod -b k1:9092,k2:9092 -X requestTimeoutMs=5000',
    )
    .action(async (name: string, options, command: Command) =>
      (await import('../commands/profile.ts')).profileCreate(
        open(command),
        name,
        command.optsWithGlobals(),
        options,
      ),
    )
  profile
    .command('use')
    .description('use this one from now on, where no other is named')
    .argument('<profile>')
    .addHelpText('after', '\nExample:\n  minikafka profile use prod')
    .action(async (name: string, _, command: Command) =>
      (await import('../commands/profile.ts')).profileUse(open(command), name),
    )
  profile
    .command('delete')
    .description('delete profiles; asks first')
    .argument('<profile...>')
    .option('--dry-run', 'print what would be deleted, delete nothing')
    .addHelpText('after', '\nExample:\n  minikafka profile delete test --yes')
    .action(async (names: string[], options, command: Command) =>
      (await import('../commands/profile.ts')).profileDelete(open(command), names, options),
    )
}

function declareViews(profile: Command, open: Open): void {
  profile
    .command('list')
    .description('list profiles')
    .addHelpText('after', '\nExample:\n  minikafka profile list -O json')
    .action(async (_, command: Command) =>
      (await import('../commands/profile-views.ts')).profileList(open(command)),
    )
  profile
    .command('show')
    .description('what a command would use: brokers, options')
    .argument('[profile]', 'with this profile (default: the one in use)')
    .option('--show-origin', 'and where each comes from')
    .addHelpText(
      'after',
      `
Flag goes before environment, that before profile, that before default.

Example:
  minikafka profile show prod --show-origin`,
    )
    .action(async (name: string | undefined, options, command: Command) =>
      (await import('../commands/profile-views.ts')).profileShow(
        open(command),
        name,
        command.optsWithGlobals(),
        options,
      ),
    )
}
