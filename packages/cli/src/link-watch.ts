// A word when a broker that is needed stays away, and another when one is back: work goes on by itself, silence would look like none.
import { isMinikafkaError } from '@minikafka/client'
import type { Session } from './session.ts'

const SILENT_MS = 2_000

/** Watches from now on; `needed`: somebody waits for a broker. Returns what ends it. */
export function watchLinks(session: Session, needed: () => boolean): () => void {
  const { clock } = session.env
  let told = false
  let timer: { cancel(): void } | undefined
  const stopAway = session.client.on('disconnect', ({ broker, error }) => {
    if (error === undefined) return
    timer ??= clock.timer(SILENT_MS, () => {
      timer = undefined
      if (!needed()) return
      told = true
      const why = isMinikafkaError(error) ? '' : ` (${error.message})`
      void session.say(`the connection to ${broker} was lost${why}, trying again`)
    })
  })
  const stopBack = session.client.on('connect', ({ broker }) => {
    timer?.cancel()
    timer = undefined
    if (told) void session.say(`connected to ${broker} again`)
    told = false
  })
  return () => {
    timer?.cancel()
    stopAway()
    stopBack()
  }
}
