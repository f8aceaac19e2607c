// The program: arguments in, one exit code out. What each command does is in `commands/`, what may be typed in `command-line/`.
import type { Env } from '@minikafka/client'
import { CommanderError } from 'commander'
import { commandLine } from './command-line/index.ts'
import type { Ending } from './endings.ts'
import { EXIT, Interrupted } from './failures.ts'
import type { Session } from './session.ts'

const EXIT_BY_SIGNAL = { SIGINT: 130, SIGTERM: 143 } as const
/** What takes longer to end is explained. */
const PATIENCE_MS = 1_000

export async function main(env: Env): Promise<void> {
  const { program } = env
  const sessions: Session[] = []
  const stop = new AbortController()
  const forgetSignals = obeySignals(env, stop, (words) => {
    for (const session of sessions) void session.say(words)
  })
  let ending: Ending = { code: EXIT.done, lines: [] }
  try {
    const began = (session: Session) => void sessions.push(session)
    await commandLine(env, stop.signal, began).parseAsync([...program.arguments], { from: 'user' })
  } catch (error) {
    ending = error instanceof CommanderError ? endingOfParsing(error) : await endingOfWork(error)
  }
  for (const session of sessions) await session.close()
  for (const line of ending.lines)
    await program.stderr.write(`minikafka: ${line}\n`).catch(() => undefined)
  forgetSignals()
  program.exit(ending.code)
}

/** The first signal finishes what is in hand, the second ends at once. */
function obeySignals(
  { clock, program }: Env,
  stop: AbortController,
  say: (words: string) => void,
): () => void {
  let timer: { cancel(): void } | undefined
  const forget = (['SIGINT', 'SIGTERM'] as const).map((signal) =>
    program.onSignal(signal, () => {
      if (stop.signal.aborted) return program.exit(EXIT_BY_SIGNAL[signal])
      stop.abort(new Interrupted('interrupted'))
      timer = clock.timer(PATIENCE_MS, () =>
        say('finishing what is in hand; once more ends at once'),
      )
    }),
  )
  return () => {
    timer?.cancel()
    for (const each of forget) each()
  }
}

/** Loaded here: it knows the errors of the client. */
async function endingOfWork(error: unknown): Promise<Ending> {
  return (await import('./endings.ts')).endingOf(error)
}

/** Help and the version were printed; anything else could not be understood. */
function endingOfParsing({ code, exitCode, message }: CommanderError): Ending {
  if (exitCode === 0) return { code: EXIT.done, lines: [] }
  // A command without its sub-command: its help was printed.
  if (code === 'commander.help') return { code: EXIT.usage, lines: [] }
  return { code: EXIT.usage, lines: [message] }
}
