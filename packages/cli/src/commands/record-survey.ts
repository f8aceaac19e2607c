// What all records of a topic have in common: keys, sizes, nulls, times. Enters: a topic, read once. Leaves: counts.
import type { Session } from '../session.ts'
import { bytesText } from '../table.ts'
import { readOnce } from './bounded-reading.ts'
import type { ReadRecords } from './consume-options.ts'
import { targetsOf } from './consume-targets.ts'

/** Keys told apart; those that come later count as others. */
const KEYS_MAX = 200_000
/** Bytes of a key that is shown, or told apart. */
const KEY_BYTES_MAX = 256
const TOP = 3

export type SurveyResult = {
  readonly facts: Readonly<Record<string, string>>
  readonly read: number
  readonly withKey: number
  readonly keys: number
  /** False: there are more keys than were told apart. */
  readonly keysAreAll: boolean
  readonly topKeys: readonly { readonly key: string; readonly records: number }[]
  readonly nulls: number
  readonly keyBytes: number
  readonly valueBytes: number
  readonly valueBytesMax: number
  readonly headers: number
  readonly firstMs: number | null
  readonly lastMs: number | null
}

export class RecordSurvey {
  readonly #keys = new Map<string, number>()
  #keysAreAll = true
  #read = 0
  #withKey = 0
  #nulls = 0
  #keyBytes = 0
  #valueBytes = 0
  #valueBytesMax = 0
  #headers = 0
  #firstMs = Number.POSITIVE_INFINITY
  #lastMs = Number.NEGATIVE_INFINITY

  /** Errors: where it was stopped before the end. */
  async read(session: Session, topic: string): Promise<SurveyResult> {
    const range = { from: { at: 'start' } } as const
    const targets = await session.ask(
      targetsOf(session, [topic], { range, untilEnd: true, partitions: undefined }),
    )
    await readOnce(session, {
      what: 'read',
      targets,
      take: (records) => {
        for (const record of records) this.#add(record)
        return undefined
      },
    })
    session.signal.throwIfAborted()
    return this.#result()
  }

  #add({ key, value, headers, timestamp }: ReadRecords): void {
    this.#read++
    if (key !== null) this.#addKey(key)
    if (value === null) this.#nulls++
    this.#valueBytes += value?.length ?? 0
    this.#valueBytesMax = Math.max(this.#valueBytesMax, value?.length ?? 0)
    for (const _ of headers) this.#headers++
    this.#firstMs = Math.min(this.#firstMs, timestamp)
    this.#lastMs = Math.max(this.#lastMs, timestamp)
  }

  #addKey(key: Buffer): void {
    this.#withKey++
    this.#keyBytes += key.length
    // Latin-1 tells all bytes apart, UTF-8 does not.
    const text = key.toString('latin1', 0, KEY_BYTES_MAX)
    const seen = this.#keys.get(text)
    if (seen !== undefined || this.#keys.size < KEYS_MAX) this.#keys.set(text, (seen ?? 0) + 1)
    else this.#keysAreAll = false
  }

  #result(): SurveyResult {
    const topKeys = [...this.#keys]
      .sort(([, a], [, b]) => b - a)
      .slice(0, TOP)
      .map(([text, records]) => ({ key: Buffer.from(text, 'latin1').toString('utf8'), records }))
    const counts = {
      read: this.#read,
      withKey: this.#withKey,
      keys: this.#keys.size,
      keysAreAll: this.#keysAreAll,
      topKeys,
      nulls: this.#nulls,
      keyBytes: this.#keyBytes,
      valueBytes: this.#valueBytes,
      valueBytesMax: this.#valueBytesMax,
      headers: this.#headers,
      firstMs: this.#read === 0 ? null : this.#firstMs,
      lastMs: this.#read === 0 ? null : this.#lastMs,
    }
    return { ...counts, facts: factsOf(counts) }
  }
}

function factsOf(counts: Omit<SurveyResult, 'facts'>): Record<string, string> {
  const { read, withKey, keys, keysAreAll, topKeys, nulls, firstMs, lastMs } = counts
  const top = topKeys.map(({ key, records }) => `${JSON.stringify(key)} ${share(records, read)}`)
  return {
    read: `${number(read)} records, ${number(nulls)} of them null`,
    keys: `${number(keys)}${keysAreAll ? '' : ' or more'} in ${number(withKey)} records`,
    ...(top.length > 0 ? { 'most often': top.join(', ') } : {}),
    values: `${bytesText(counts.valueBytes)}, on average ${bytesText(mean(counts.valueBytes, read))}, at most ${bytesText(counts.valueBytesMax)}`,
    ...(counts.headers > 0 ? { headers: number(counts.headers) } : {}),
    ...(firstMs === null || lastMs === null ? {} : { from: iso(firstMs), to: iso(lastMs) }),
  }
}

function mean(total: number, count: number): number {
  return count === 0 ? 0 : Math.round(total / count)
}

function share(part: number, whole: number): string {
  return `${((100 * part) / whole).toFixed(1)} %`
}

function number(count: number): string {
  return count.toLocaleString('en')
}

function iso(timestampMs: number): string {
  return new Date(timestampMs).toISOString()
}
