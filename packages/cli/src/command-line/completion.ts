// What may be typed after `minikafka completion`, and the hidden command that shells ask while somebody types.
import type { Env } from '@minikafka/client'
import type { Command } from 'commander'

/** Neither has a session: the client would take longer to load than a Tab may take. */
export function completionCommands(minikafka: Command, env: Env, signal: AbortSignal): void {
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
    .action(async (shell: string) =>
      (await import('../commands/completion.ts')).completion(env, shell),
    )
  minikafka
    .command('__complete', { hidden: true })
    .argument('[words...]')
    .action(async (words: string[]) =>
      (await import('../commands/complete.ts')).complete(env, signal, minikafka, words),
    )
}
