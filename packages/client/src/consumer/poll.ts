// poll(): what is there, without a loop.
import type { Clock } from '@minikafka/platform'
import { MinikafkaError } from '@minikafka/protocol'
import { checkOptions } from '../core/index.ts'
import type { Mode, ModeParts } from './mode.ts'
import type { Polled } from './polled.ts'
import type { FetchedRecord } from './record.ts'
import { readRules } from './settings.ts'
import type { Source } from './source.ts'
import type { PollOptions } from './types.ts'

export type PollSettings = {
  readonly max: number
  readonly maxWaitMs: number
  readonly signal: AbortSignal | undefined
}

const MAX = 500
const MAX_WAIT_MS = 500

/** As long as a call takes; what it gave is in hand of `Polled`. */
export const POLL_MODE: Mode = {
  name: 'poll()',
  halt() {},
  isUnfinished: () => false,
  holds: () => false,
}

/** Errors: INVALID_OPTION. */
export function pollSettings(options: PollOptions | undefined): PollSettings {
  const {
    max = MAX,
    maxWaitMs = MAX_WAIT_MS,
    signal,
  } = checkOptions<PollOptions>('consumer.poll', options, readRules.poll)
  return { max, maxWaitMs, signal }
}

/**
 * At most `max` records; none after `maxWaitMs`. `polled` has them in hand.
 *
 * Errors  what stops the reader, unless there are records to give first.
 */
export async function poll(
  parts: ModeParts,
  source: Source,
  clock: Clock,
  settings: PollSettings,
  polled: Polled,
): Promise<FetchedRecord[]> {
  const wait = endOfWait(clock, settings)
  const records: FetchedRecord[] = []
  try {
    if (!parts.stopped()) await parts.open(wait.signal)
    while (records.length < settings.max && !parts.stopped()) {
      const isMore = takeSome(source, records, settings.max, polled)
      if (isMore) continue
      if (records.length > 0) break
      await source.change(wait.signal)
    }
  } catch (error) {
    if (error !== wait.over) throw error
  } finally {
    wait.end()
  }
  // Who polls in a loop while the consumer closes must not keep it from that.
  if (records.length === 0 && parts.stopped()) await new Promise<void>((turn) => clock.soon(turn))
  return records
}

/** False: there are no more now. */
function takeSome(source: Source, records: FetchedRecord[], max: number, polled: Polled): boolean {
  try {
    const feed = source.next()
    if (feed === undefined) return false
    const handed = feed.hand(max - records.length)
    for (const record of handed) records.push(record)
    polled.add(feed, handed)
    return true
  } catch (error) {
    if (records.length === 0) throw error
    source.keep(error)
    return false
  }
}

/** A signal that aborts with `over` after `maxWaitMs`, or with the user's own reason. */
function endOfWait(clock: Clock, { maxWaitMs, signal }: PollSettings) {
  const over = new MinikafkaError('TIMED_OUT')
  const controller = new AbortController()
  const abort = () => controller.abort(signal?.reason)
  const timer = clock.timer(maxWaitMs, () => controller.abort(over))
  if (signal?.aborted) abort()
  signal?.addEventListener('abort', abort, { once: true })
  const end = () => {
    timer.cancel()
    signal?.removeEventListener('abort', abort)
  }
  return { signal: controller.signal, over, end }
}
