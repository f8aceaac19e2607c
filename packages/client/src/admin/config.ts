// Settings on their way to a broker: there every value is text.
import { MinikafkaError } from '@minikafka/protocol'
import type { ConfigChanges } from './types.ts'

const SET = 0
const DELETE = 1

export type ConfigChange = {
  readonly name: string
  readonly operation: number
  readonly value: string | null
}

export function changesOf({ set = {}, delete: unset = [] }: ConfigChanges): ConfigChange[] {
  const sets = Object.entries(set).map(([name, value]) => {
    return { name, operation: SET, value: textOf(name, value) }
  })
  return [...sets, ...unset.map((name) => ({ name, operation: DELETE, value: null }))]
}

/** Errors: INVALID_OPTION where the value is none of those that a setting can have. */
export function textOf(name: string, value: unknown): string {
  if (typeof value === 'string' || typeof value === 'boolean') return String(value)
  if (typeof value === 'number' && Number.isFinite(value)) return String(value)
  const message = `setting ${name}: the value must be a string, a number, true or false`
  throw new MinikafkaError('INVALID_OPTION', { message, path: name })
}
