// Checking what a caller passes: unknown keys throw and name the nearest one there is (CLIENT 1, rule 4).
import { MinikafkaError, nearest } from '@minikafka/protocol'

/** The rule of one option: undefined where the value will do, else what it must be. */
export type OptionRule = (value: unknown) => string | undefined
export type OptionRules<O> = { readonly [K in keyof Required<O>]: OptionRule }

/**
 * Checks an options object against a rule per key.
 *
 * Shape   `what` names it in the error: 'client.producer'. undefined counts as absent.
 * Errors  INVALID_OPTION, naming the key and the nearest known one, or what the value must be.
 */
export function checkOptions<O extends object>(
  what: string,
  options: unknown,
  rules: OptionRules<O>,
): O {
  if (options === undefined) return {} as O
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw invalidOption(`${what}: options must be an object`)
  }
  for (const [key, value] of Object.entries(options)) {
    const rule = Object.hasOwn(rules, key) ? (rules as Record<string, OptionRule>)[key] : undefined
    if (rule === undefined) throw unknownKey(what, key, Object.keys(rules))
    if (value === undefined) continue
    const complaint = rule(value)
    if (complaint !== undefined) throw invalidOption(`${what}: ${key} must be ${complaint}`, key)
  }
  return options as O
}

export function invalidOption(message: string, path?: string): MinikafkaError {
  return new MinikafkaError('INVALID_OPTION', { message, path })
}

function unknownKey(what: string, key: string, known: readonly string[]): MinikafkaError {
  const near = nearest(key, known)
  const hint = near === undefined ? `known are ${known.join(', ')}` : `did you mean '${near}'?`
  return invalidOption(`${what}: there is no option '${key}'; ${hint}`, key)
}

// --- rules -----------------------------------------------------------------------------------

export function integer(min: number, max: number = Number.MAX_SAFE_INTEGER): OptionRule {
  const range = max === Number.MAX_SAFE_INTEGER ? `at least ${min}` : `from ${min} to ${max}`
  return (value) =>
    Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max
      ? undefined
      : `an integer, ${range}`
}

export function numeric(min: number, max: number): OptionRule {
  return (value) =>
    typeof value === 'number' && value >= min && value <= max
      ? undefined
      : `a number from ${min} to ${max}`
}

export function oneOf(...words: readonly string[]): OptionRule {
  return (value) => {
    if (typeof value === 'string' && words.includes(value)) return undefined
    const near = typeof value === 'string' ? nearest(value, words) : undefined
    const list = words.map((word) => `'${word}'`).join(', ')
    return near === undefined ? `one of ${list}` : `one of ${list}: did you mean '${near}'?`
  }
}

export const boolean: OptionRule = (value) =>
  typeof value === 'boolean' ? undefined : 'true or false'
export const callable: OptionRule = (value) =>
  typeof value === 'function' ? undefined : 'a function'
export const anything: OptionRule = () => undefined

export function text(charsMax = 32_767): OptionRule {
  return (value) =>
    typeof value === 'string' && value.length > 0 && value.length <= charsMax
      ? undefined
      : `a string of 1 to ${charsMax} characters`
}

/** The keys of `Wait`. */
export const waitRules: { readonly signal: OptionRule; readonly timeoutMs: OptionRule } = {
  signal: (value) => (value instanceof AbortSignal ? undefined : 'an AbortSignal'),
  timeoutMs: numeric(0, Number.MAX_SAFE_INTEGER),
}
