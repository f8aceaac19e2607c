// A recording that can be checked: what clients did, held against what brokers promise.
import type { Client } from '@minikafka/client'
import { type Clock, nodeEnv } from '@minikafka/platform'
import { checkHistory, type HistoryReport, type Operation } from '../history/index.ts'
import { operationsOf } from './operations.ts'
import { RecordedClient } from './recorded-client.ts'
import { type Handed, Recorder } from './recorder.ts'

export type History = {
  /** The same client, recorded: what it and its parts do from here on. */
  client(client: Client): Client
  /**
   * Reads the whole of a topic and records what `read` found, which it returns. Done when all else is, it shows what is
   * lost at the end.
   */
  readAll<R extends Handed>(topic: string, read: () => Promise<R[]>): Promise<R[]>
  /** What was recorded so far, as `checkHistory` reads it. */
  operations(): Operation[]
  /**
   * Counts, and each promise that was broken. What was acknowledged and never read counts as `unseen`: read to the
   * end before. `forgetful`: topics whose old records may be gone, by compaction or retention.
   */
  check(options?: { readonly forgetful?: readonly string[] | undefined }): HistoryReport
}

export type RecordOptions = {
  /** Default: this process's. */
  readonly clock?: Clock | undefined
}

/** For clients of brokers anywhere; a TestBroker has `record()`. */
export function recordHistory({ clock = nodeEnv().clock }: RecordOptions = {}): History {
  const recorder = new Recorder(clock)
  return {
    client: (client) => new RecordedClient(client, recorder),
    async readAll(topic, read) {
      const began = recorder.moment()
      const records = await read()
      recorder.polled(topic, records, began)
      return records
    },
    operations: () => operationsOf(recorder.entries),
    check({ forgetful = [] } = {}) {
      const history = operationsOf(recorder.entries)
      return checkHistory(history, { forgetful: partitionsOf(forgetful, history) })
    },
  }
}

function partitionsOf(topics: readonly string[], history: readonly Operation[]): string[] {
  if (topics.length === 0) return []
  const names = new Set(
    history.flatMap(({ steps }) => steps.map((step) => ('send' in step ? step.send : step.poll))),
  )
  return [...names].filter((name) => topics.includes(name.slice(0, name.lastIndexOf('-'))))
}
