// minikafka help: a command, or a page about formats, offsets, exit codes.
import type { Env } from '@minikafka/client'
import type { Command } from 'commander'
import { UsageError } from '../usage-error.ts'
import { HELP_PAGES } from './help-pages.ts'

export function helpCommand(minikafka: Command, { program }: Env): void {
  minikafka
    .command('help')
    .description('of a command, of formats, offsets, exit-codes')
    .argument('[words...]')
    .addHelpText('after', '\nExamples:\n  minikafka help topic create\n  minikafka help offsets')
    .action(async (words: string[]) => {
      const page = words.length === 1 ? pageOf(words[0] ?? '') : undefined
      if (page !== undefined) await program.stdout.write(page)
      else commandOf(minikafka, words).outputHelp()
    })
}

function pageOf(name: string): string | undefined {
  return new Map(Object.entries(HELP_PAGES)).get(name)
}

function commandOf(minikafka: Command, words: readonly string[]): Command {
  let command = minikafka
  for (const word of words) {
    const child = command.commands.find((one) => one.name() === word)
    if (child === undefined) {
      const pages = command === minikafka ? Object.keys(HELP_PAGES) : []
      const visible = command.createHelp().visibleCommands(command)
      const known = [...pages, ...visible.map((one) => one.name())]
      throw new UsageError(`no help for '${word}'; there is help for ${known.join(', ')}`)
    }
    command = child
  }
  return command
}
