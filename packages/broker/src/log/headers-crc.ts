// The sum that `sealed` keeps of all headers of a segment (REPLICATION 2.12.5).
import { crc32cOfPart } from '@minikafka/platform'
import { BATCH_HEADER_SIZE } from '@minikafka/protocol'

/** Of the header at `position` and all before it, whose sum is `previous`. */
export function headersCrcOf(bytes: Uint8Array, position: number, previous: number): number {
  return crc32cOfPart(bytes, position, position + BATCH_HEADER_SIZE, previous)
}
