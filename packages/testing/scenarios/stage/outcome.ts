// What enters a run besides its seed, and what leaves it. Types alone.

/** What a shrinking run leaves out. Names: of kinds of faults and of work, and of parts such as `buggify`. */
export type Less = {
  readonly without?: readonly string[] | undefined
  /** At most so many records of each producer. */
  readonly records?: number | undefined
  readonly producers?: number | undefined
  readonly topics?: number | undefined
  readonly members?: number | undefined
}

export type RunOptions = {
  readonly less?: Less | undefined
  /** One line an event. */
  readonly trace?: ((line: string) => void) | undefined
}

export type Outcome = {
  readonly seed: number
  readonly violation: { readonly oracle: string; readonly message: string } | undefined
  /** Faults, records and work by name. */
  readonly counts: Readonly<Record<string, number>>
  readonly events: number
  readonly virtualMs: number
  /** How often each rare branch was taken that was reached. */
  readonly buggify: Readonly<Record<string, number>>
  readonly hash: string
  readonly timeline: readonly string[]
}
