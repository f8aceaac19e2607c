// Seeds that found something: each stays, with one line that says what. A later change of the swarm makes another run of a
// seed; that it found something once is reason enough to run it.
export const keptSeeds: readonly { readonly seed: number; readonly found: string }[] = [
  { seed: 945, found: 'a power cut among the first segments left a log without its beginning' },
  {
    seed: 52,
    found: 'eleven places asked for at once made the client warn of a leak of listeners',
  },
  {
    seed: 122,
    found: 'rot in a deleted record made recovery cut what was acknowledged behind it',
  },
]

/** The same of the scenario `groups`. */
export const keptGroupSeeds: typeof keptSeeds = [
  {
    seed: 5,
    found: 'a member that gave up a partition in peace left a gap, and others did what was done',
  },
]
