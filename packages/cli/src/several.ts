// One thing after the other: what fails does not keep the rest from its turn, and is told at the end.
import { SeveralFailures } from './failures.ts'
import type { Session } from './session.ts'

/** Errors: SeveralFailures; after the first signal an Interrupted for what is left. */
export async function eachOf<T>(
  session: Session,
  things: readonly T[],
  work: (thing: T) => Promise<void>,
): Promise<void> {
  const failures: unknown[] = []
  for (const thing of things) {
    if (session.signal.aborted) {
      failures.push(session.signal.reason)
      break
    }
    await work(thing).catch((error: unknown) => failures.push(error))
  }
  if (failures.length > 0) throw new SeveralFailures(failures)
}
