// What a row of the settings says, and the units in which rows are written.
// Enters: rows. Leaves: the same, checked by their types.

export const KiB = 1024
export const MiB = 1024 * KiB
export const GiB = 1024 * MiB
export const SECOND = 1000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR
export const INT_MAX = 2 ** 31 - 1

type RowBase = {
  /** Name of the topic setting that overrides this one. */
  readonly topic?: string
  /** True: may be changed while the broker runs. Rows with a topic's name always may. */
  readonly dynamic?: boolean
  readonly about: string
}
export type NumberRow = RowBase & {
  readonly type: 'int' | 'ratio' | 'bytes' | 'duration'
  readonly default: number
  readonly range: readonly [number, number]
  /** What one value below or outside the range stands for, e.g. -1 = no limit. */
  readonly special?: { readonly value: number; readonly text: string }
}
type TextRow = RowBase & { readonly type: 'text'; readonly default: string }
export type FlagRow = RowBase & { readonly type: 'boolean'; readonly default: boolean }
export type ChoiceRow = RowBase & {
  readonly type: 'choice'
  readonly default: string
  readonly choices: readonly string[]
}
export type Row = NumberRow | TextRow | FlagRow | ChoiceRow

export function defineSettings<const T extends { readonly [name: string]: Row }>(rows: T): T {
  return rows
}

export const noLimit = { value: -1, text: 'no limit' } as const
