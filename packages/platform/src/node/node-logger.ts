// pino, behind the port: JSON lines, or pretty lines for people, both in this process.
import { type Logger, pino } from 'pino'

export type LoggerOptions = {
  readonly level: string
  readonly format: 'json' | 'pretty'
  readonly destination: 'stdout' | 'stderr'
}

const DESCRIPTORS = { stdout: 1, stderr: 2 } as const

/** The pretty printer is loaded only when somebody wants it: it takes 30 ms. */
export async function createLogger({ level, format, destination }: LoggerOptions): Promise<Logger> {
  const descriptor = DESCRIPTORS[destination]
  if (format === 'json') return pino({ level }, pino.destination({ fd: descriptor, sync: true }))
  const { default: pretty } = await import('pino-pretty')
  const stream = pretty({
    destination: descriptor,
    sync: true,
    colorize: process[destination].isTTY === true && !process.env.NO_COLOR,
    ignore: 'pid,hostname,component',
    translateTime: 'HH:MM:ss.l',
    customPrettifiers: {},
    messageFormat: (log, key) => withoutControls(String(log[key] ?? '')),
  })
  return pino({ level }, stream)
}

/** What a library says where nobody configured logging: warnings and above, to stderr. */
export function libraryLogger(): Logger {
  return pino({ level: 'warn' }, pino.destination({ fd: DESCRIPTORS.stderr, sync: true }))
}

/** A terminal obeys control characters; a log line must not give it orders. */
function withoutControls(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: removing them is the point.
  return text.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '')
}
