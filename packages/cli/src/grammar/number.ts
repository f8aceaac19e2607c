// Numbers as typed. Leaves: the number, or a UsageError that says what was expected.
import { UsageError } from '../usage-error.ts'

export function positive(flag: string, text: string): number {
  const value = Number(text)
  if (!/^\d{1,9}$/.test(text) || value < 1)
    throw new UsageError(`${flag} ${text}: expected a number, 1 or more`)
  return value
}

export function wholeNumber(flag: string, text: string): number {
  if (!/^\d{1,15}$/.test(text))
    throw new UsageError(`${flag} ${text}: expected a number, 0 or more`)
  return Number(text)
}
