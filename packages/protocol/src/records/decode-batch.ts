// A whole batch as values: for tools and tests, where a record may cost an object. Consumers use the reader itself.
import type { Compress } from '@minikafka/platform'
import { BatchReader } from './batch-reader.ts'
import { type RecordHeader, readRecordHeaders } from './record-headers.ts'

export type DecodedRecord = {
  readonly offset: number
  readonly timestamp: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly RecordHeader[]
}

/** Keys and values are views of the batch, or of what it decompressed to. Errors as those of BatchReader. */
export function decodeBatch(batch: Uint8Array, compress: Compress): DecodedRecord[] {
  const reader = new BatchReader(batch, compress)
  const records: DecodedRecord[] = []
  while (reader.next()) {
    const { body, offset, timestamp } = reader
    records.push({
      offset,
      timestamp,
      key: view(body, reader.keyStart, reader.keySize),
      value: view(body, reader.valueStart, reader.valueSize),
      headers: readRecordHeaders(body, reader.headersStart, reader.headerCount),
    })
  }
  return records
}

function view(body: Buffer, start: number, size: number): Buffer | null {
  return size < 0 ? null : body.subarray(start, start + size)
}
