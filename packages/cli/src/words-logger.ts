// What the SDK logs, as words on stderr: warnings always, more with -v and -vv, nothing with -q.
// Not pino: loading it takes longer than most commands run.
import type { Env, Logger } from '@minikafka/client'
import { plain } from './plain-text.ts'

const LEVELS = ['debug', 'info', 'warn', 'error', 'fatal'] as const
type Level = (typeof LEVELS)[number]

/** The methods of pino's loggers that the SDK calls. */
export function wordsLogger({ program }: Pick<Env, 'program'>, lowest: Level | 'silent'): Logger {
  const wanted = lowest === 'silent' ? [] : LEVELS.slice(LEVELS.indexOf(lowest))
  const logger: Record<string, unknown> = { level: lowest, trace: () => {}, silent: () => {} }
  for (const level of LEVELS) {
    logger[level] = (fields: unknown, message?: string) => {
      if (!wanted.includes(level)) return
      // Nobody waits for a line of the log, and a reader that is gone does no harm.
      void program.stderr.write(`${plain(lineOf(level, fields, message))}\n`).catch(() => undefined)
    }
  }
  // Only of what is said: who says it matters less to people.
  logger.child = (_: object, options?: { level?: Level | 'silent' }) =>
    wordsLogger({ program }, options?.level ?? lowest)
  return logger as unknown as Logger
}

function lineOf(level: Level, fields: unknown, message?: string): string {
  if (typeof fields !== 'object' || fields === null) return `${level}: ${String(fields)}`
  const { err, ...rest } = fields as Record<string, unknown>
  const words = [`${level}: ${message ?? ''}`]
  for (const [name, value] of Object.entries(rest))
    words.push(`${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
  return err instanceof Error ? `${words.join(' ')}: ${err.message}` : words.join(' ')
}
