// A blob of whole batches, one after the other, cut into them. Enters: bytes. Leaves: views of them.
import { MinikafkaError } from '../errors.ts'
import { batchSizeAt } from './header.ts'
import { BATCH_HEADER_SIZE } from './layout.ts'

/** Errors: CORRUPT_MESSAGE where a batch claims a size that it cannot have here. */
export function batchesIn(blob: Uint8Array): Uint8Array[] {
  const batches: Uint8Array[] = []
  let position = 0
  while (position < blob.length) {
    const left = blob.length - position
    const size = left < BATCH_HEADER_SIZE ? 0 : batchSizeAt(blob, position)
    if (size < BATCH_HEADER_SIZE || size > left) {
      throw new MinikafkaError('CORRUPT_MESSAGE', {
        message: `A batch of ${size} bytes cannot stand where ${left} are left.`,
      })
    }
    batches.push(blob.subarray(position, position + size))
    position += size
  }
  return batches
}
