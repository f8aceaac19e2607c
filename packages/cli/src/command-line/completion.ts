// What may be typed after `minikafka completion`, and the hidden command that shells ask while somebody types.
import type { Command } from 'commander'
import type { Open } from './declaration.ts'

export function completionCommands(minikafka: Command, open: Open): void {
  minikafka
    .command('completion')
    .description('words for the Tab key: a script for your shell')
    .argument('<shell>', 'bash, zsh or fish')
    .addHelpText(
      'after',
      `
Completes commands, options, and the names of topics, groups, settings and
profiles, where a broker answers within 150 ms.

Examples:
  minikafka completion bash >> ~/.bashrc
  minikafka completion zsh > ~/.zfunc/_minikafka    (with ~/.zfunc in fpath)
  minikafka completion fish > ~/.config/fish/completions/minikafka.fish`,
    )
    .action(async (shell: string, _, command: Command) =>
      (await import('../commands/completion.ts')).completion(open(command), shell),
    )
  minikafka
    .command('__complete', { hidden: true })
    .argument('[words...]')
    .action(async (words: string[], _, command: Command) =>
      (await import('../commands/complete.ts')).complete(open(command), minikafka, words),
    )
}
