// Until a broker answers. The first step of a command is bounded by --timeout, and its end says what was tried; what is
// watched until it is stopped goes on, whoever is away meanwhile.
import { type Env, type ErrorName, isMinikafkaError } from '@minikafka/client'
import { textOf } from './endings.ts'
import { EXIT, Failure } from './failures.ts'
import type { Session } from './session.ts'
import { sleep } from './sleep.ts'

const RETRY_AFTER_MS = 200

/** What heals when the broker starts. */
const PATIENT: ReadonlySet<ErrorName> = new Set([
  'BROKER_UNREACHABLE',
  'NETWORK_EXCEPTION',
  'REQUEST_TIMED_OUT',
  'TIMED_OUT',
])

/** Errors: Failure (timed out) with the last reason; at once what waiting does not heal. */
export async function reachBroker(session: Session): Promise<void> {
  const { env, client, signal, timeoutMs, timeout } = session
  const endMs = env.clock.monotonicMs() + timeoutMs
  let trouble = 'no broker answers'
  for (let failures = 0; ; failures++) {
    try {
      // A little longer than connecting may take: that has more to say.
      await session.ask(client.ping({ timeoutMs: leftMs(env, endMs) + RETRY_AFTER_MS }))
      return
    } catch (error) {
      if (!isMinikafkaError(error) || !PATIENT.has(error.name)) throw error
      if (error.name !== 'TIMED_OUT') trouble = error.message
      if (leftMs(env, endMs) <= RETRY_AFTER_MS)
        throw new Failure(`${trouble} (waited ${timeout})`, EXIT.timedOut, { cause: error })
      if (failures === 0) await session.say(`waiting up to ${timeout} for ${session.brokers}`)
    }
    await sleep(env, RETRY_AFTER_MS, signal)
  }
}

/** Asks until it is answered, and says once what is in the way. Errors: what waiting does not heal; of the signal. */
export async function persist<T>(session: Session, ask: () => Promise<T>): Promise<T> {
  let trouble = ''
  for (;;) {
    try {
      const answer = await ask()
      if (trouble !== '') await session.say('answered again')
      return answer
    } catch (error) {
      if (!isMinikafkaError(error) || !(error.retriable || PATIENT.has(error.name))) throw error
      const now = textOf(error)
      if (now !== trouble) await session.say(`waiting: ${now}`)
      trouble = now
    }
    await sleep(session.env, RETRY_AFTER_MS, session.signal)
  }
}

function leftMs({ clock }: Env, endMs: number): number {
  return Math.max(1, endMs - clock.monotonicMs())
}
