// A word when no broker is there for what is in hand, and another when one is back: work goes on by itself, silence would look like none.
import type { Session } from './session.ts'

const SILENT_MS = 2_000

/** Watches from now on; `needed`: somebody waits for a broker. Returns what ends it. */
export function watchLinks(session: Session, needed: () => boolean): () => void {
  const { clock } = session.env
  const { client } = session
  let told = false
  let timer: { cancel(): void } | undefined
  const isAway = () => client.stats().connections.length === 0
  const look = (broker: string, wasNeeded: boolean) => {
    timer = undefined
    if (told || !isAway()) return
    const isNeeded = needed()
    told = wasNeeded && isNeeded
    if (told) void session.say(`the connection to ${broker} was lost, trying again`)
    // What is typed later should not wait without a word either; it gets the time to connect, too.
    else timer = clock.timer(SILENT_MS, () => look(broker, isNeeded))
  }
  const stopAway = client.on('disconnect', ({ broker }) => {
    timer ??= clock.timer(SILENT_MS, () => look(broker, true))
  })
  const stopBack = client.on('connect', ({ broker }) => {
    if (told) void session.say(`connected to ${broker} again`)
    told = false
  })
  return () => {
    timer?.cancel()
    stopAway()
    stopBack()
  }
}
