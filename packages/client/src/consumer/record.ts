// One record as it is handed out. What every record of a batch shares stands on the source; what is seldom read is made when asked for.
import { BatchHeaders } from '../headers.ts'
import type { RecordHeaders } from '../topic/index.ts'

/** The batch that records came in, and the partition they belong to. */
export type RecordSource = {
  readonly topic: string
  readonly partition: number
  readonly timestampType: 'create' | 'append'
  readonly body: Buffer
  signal(): AbortSignal
  ack(offset: number): void
}

export class FetchedRecord {
  readonly offset: number
  readonly timestamp: number
  readonly key: unknown
  readonly value: unknown
  readonly #source: RecordSource
  readonly #headersStart: number
  readonly #headerCount: number

  constructor(
    source: RecordSource,
    offset: number,
    timestamp: number,
    key: unknown,
    value: unknown,
    headersStart: number,
    headerCount: number,
  ) {
    this.offset = offset
    this.timestamp = timestamp
    this.key = key
    this.value = value
    this.#source = source
    this.#headersStart = headersStart
    this.#headerCount = headerCount
  }

  get topic(): string {
    return this.#source.topic
  }

  get partition(): number {
    return this.#source.partition
  }

  get timestampType(): 'create' | 'append' {
    return this.#source.timestampType
  }

  get headers(): RecordHeaders {
    return new BatchHeaders(this.#source.body, this.#headersStart, this.#headerCount)
  }

  get signal(): AbortSignal {
    return this.#source.signal()
  }

  ack(): void {
    this.#source.ack(this.offset)
  }
}
