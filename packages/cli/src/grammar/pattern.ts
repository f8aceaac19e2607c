// Regular expressions as typed. Leaves: the expression, or a UsageError that says what is wrong with it.
import { UsageError } from '../usage-error.ts'

export function pattern(text: string, flag: string): RegExp {
  try {
    return new RegExp(text, 'u')
  } catch (error) {
    throw new UsageError(`${flag} ${text}: ${(error as Error).message}`)
  }
}

/** For whole names. */
export function namePattern(text: string): RegExp {
  pattern(text, '--regex')
  return pattern(`^(?:${text})$`, '--regex')
}
