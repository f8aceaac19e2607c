// Loggers that write to the streams of this process: JSON lines for machines, pretty ones for people.
// Nothing waits for a reader that is slow: lines wait in memory, are written in turns of the loop and at the exit.
import { isatty } from 'node:tty'
import { type DestinationStream, type Logger, pino } from 'pino'
import { withoutControls } from './plain-text.ts'

export type LoggerOptions = {
  readonly level: string
  readonly format: 'json' | 'pretty'
  readonly destination: 'stdout' | 'stderr' | LineDestination
}

/** Gets one line with its newline, in the call. */
export type LineDestination = { write(line: string): void }

const DESCRIPTORS = { stdout: 1, stderr: 2 } as const
/** A reader that stays away longer loses lines. */
const WAITING_BYTES_MAX = 16 * 2 ** 20

/** The pretty printer is loaded when somebody wants it: that takes 30 ms. */
export async function createLogger({ level, format, destination }: LoggerOptions): Promise<Logger> {
  const colors =
    destination !== 'stdout' && destination !== 'stderr' ? false : wantsColors(destination)
  const out = typeof destination === 'string' ? streamOf(destination) : destination
  const stream = format === 'json' ? out : await prettyStream(out, colors)
  return withFollowers((onChild) => pino({ level, base: null, onChild }, stream))
}

/** pino gives a child the level of the moment. Here it follows its parent's, which may change while the program runs. */
function withFollowers(create: (onChild: (child: Logger) => void) => Logger): Logger {
  const children = new Set<WeakRef<Logger>>()
  const logger = create((child) => children.add(new WeakRef(child)))
  logger.on('level-change', (level, _value, _before, _valueBefore, changed) => {
    if (changed !== logger) return
    for (const one of children) {
      const child = one.deref()
      if (child === undefined) children.delete(one)
      else child.level = level
    }
  })
  return logger
}

/** What a library says where nobody configured logging: warnings and above, to stderr. */
export function libraryLogger(): Logger {
  return pino({ level: 'warn', base: null }, streamOf('stderr'))
}

function streamOf(name: keyof typeof DESCRIPTORS): DestinationStream {
  const stream = pino.destination({
    fd: DESCRIPTORS[name],
    sync: false,
    maxLength: WAITING_BYTES_MAX,
  })
  // A full disk below a redirected log takes lines, not the process.
  stream.on('error', () => {})
  return stream
}

function wantsColors(name: keyof typeof DESCRIPTORS): boolean {
  return isatty(DESCRIPTORS[name]) && !process.env.NO_COLOR
}

/** pino-pretty in this process and in the call, so that order is kept; its own transport would be a thread. */
async function prettyStream(out: DestinationStream, colorize: boolean): Promise<DestinationStream> {
  const { prettyFactory } = await import('pino-pretty')
  const pretty = prettyFactory({
    colorize,
    ignore: 'component',
    singleLine: true,
    translateTime: 'SYS:HH:MM:ss.l',
  })
  return {
    write(line) {
      out.write(pretty(withoutControls(JSON.parse(line))))
    },
    // Called by pino after a fatal line.
    ...('flushSync' in out ? { flushSync: () => (out as { flushSync(): void }).flushSync() } : {}),
  }
}
