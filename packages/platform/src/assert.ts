// Programmer errors: always on, fatal (STYLE 3.4). Never for what came from outside.

export class AssertionError extends Error {
  override name = 'AssertionError'
}

/** States what must hold; `sentence` says it positively. */
export function assert(condition: boolean, sentence: string): asserts condition {
  if (!condition) throw new AssertionError(sentence)
}

/** For the default branch of a `switch` over a tagged union: the compiler proves it is never reached. */
export function assertNever(value: never): never {
  throw new AssertionError(`unexpected ${JSON.stringify(value)}`)
}
