// What the declarations of commands share.
import type { Command } from 'commander'
import type { Part } from '../sdk-options.ts'
import type { Session } from '../session.ts'

/** Opens the session of a command: its global options, and the part of the SDK that -X may speak of. */
export type Open = (command: Command, part?: Part) => Session

/** Of an option that may be repeated. */
export function append(value: string, before: string[] = []): string[] {
  return [...before, value]
}
