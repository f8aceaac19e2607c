// What went wrong while a log was read, in the words of the protocol. Enters: what was thrown. Leaves: a name, a message.
import { DiskError } from '@minikafka/platform'
import { type ErrorName, isMinikafkaError, type MinikafkaError } from '@minikafka/protocol'

/** Anything but an operating error is thrown on: it is a fault of ours. */
export function readError(error: unknown): {
  readonly name: ErrorName
  readonly message: string
  readonly details?: MinikafkaError['details'] | undefined
} {
  if (isMinikafkaError(error)) {
    const { name, message, details } = error
    return { name, message, details }
  }
  if (error instanceof DiskError) return { name: 'KAFKA_STORAGE_ERROR', message: error.message }
  throw error
}
