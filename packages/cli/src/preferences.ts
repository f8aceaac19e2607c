// What may be said in several places: flag > environment > profile > default.
// Enters: all of them. Leaves: a value each, and where it comes from.
import type { GlobalOptions } from './session.ts'

export const OUTPUTS = ['text', 'wide', 'json', 'jsonl'] as const

/** One of the profiles of ~/.config/minikafka/config.yaml. */
export type Profile = {
  readonly name: string
  readonly brokers?: readonly string[]
  readonly output?: string
  readonly timeout?: string
  /** Options of the SDK, as -X names them. */
  readonly options?: Readonly<Record<string, string | number | boolean>>
}

export type Preference = { readonly value: string; readonly origin: string }
export type Preferences = Readonly<Record<'brokers' | 'output' | 'timeout', Preference>>

const DEFAULTS = { brokers: '127.0.0.1:9092', output: 'text', timeout: '10s' } as const

export function preferencesOf(
  variables: Readonly<Record<string, string | undefined>>,
  globals: GlobalOptions,
  profile: Profile | undefined,
): Preferences {
  const pick = (name: keyof Preferences, inProfile: string | undefined): Preference => {
    const flag = globals[name]
    if (flag !== undefined) return { value: flag, origin: `--${name}` }
    const variable = `MINIKAFKA_${name.toUpperCase()}`
    const fromVariable = variables[variable]
    // A variable that is set to nothing is not set.
    if (fromVariable) return { value: fromVariable, origin: variable }
    if (inProfile !== undefined) return { value: inProfile, origin: `profile ${profile?.name}` }
    return { value: DEFAULTS[name], origin: 'default' }
  }
  return {
    brokers: pick('brokers', profile?.brokers?.join(',')),
    output: pick('output', profile?.output),
    timeout: pick('timeout', profile?.timeout),
  }
}

/** The pairs of the profile first: those of the command line go over them. */
export function sdkPairs({ option = [] }: GlobalOptions, profile: Profile | undefined): string[] {
  const pairs = Object.entries(profile?.options ?? {}).map(([name, value]) => `${name}=${value}`)
  return [...pairs, ...option]
}
