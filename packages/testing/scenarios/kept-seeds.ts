// Seeds that found something: each stays, with one line that says what.
export const keptSeeds: readonly { readonly seed: number; readonly found: string }[] = []
