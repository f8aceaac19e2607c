// The headers of a received record: read from the batch when somebody asks. Order and duplicates kept.
import { type RecordHeader, readRecordHeaders } from '@minikafka/protocol'
import type { RecordHeaders } from './topic/index.ts'

export class BatchHeaders implements RecordHeaders {
  readonly #pairs: readonly RecordHeader[]

  /** `body`, `start`, `count`: as the batch reader gave them. */
  constructor(body: Buffer, start: number, count: number) {
    this.#pairs = readRecordHeaders(body, start, count)
  }

  get(name: string): Buffer | null | undefined {
    for (const [other, value] of this.#pairs) if (other === name) return value
    return undefined
  }

  getAll(name: string): (Buffer | null)[] {
    return this.#pairs.filter(([other]) => other === name).map(([, value]) => value)
  }

  *[Symbol.iterator](): Iterator<[string, Buffer | null]> {
    for (const [name, value] of this.#pairs) yield [name, value]
  }
}
