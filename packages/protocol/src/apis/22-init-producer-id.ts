// InitProducerId: who a producer is, so that retries are recognized. Source: Kafka InitProducerIdRequest.json, KIP-98, KIP-360.
import { defineApi, int16, int32, int64, nullable, string } from '../define.ts'

export const initProducerId = defineApi({
  name: 'InitProducerId',
  key: 22,
  versions: [0, 0],
  audience: 'client',
  acl: { operation: 'IDEMPOTENT_WRITE', resource: 'CLUSTER' },
  about: 'A producer id that was never given before, or a higher epoch of the one given.',
  request: {
    transactionalId: nullable(
      string('Null: an idempotent producer without transactions.', { bytesMax: 1024 }),
    ),
    transactionTimeoutMs: int32('How long a transaction may stay open; -1 without transactions.'),
    producerId: int64('The id to go on with, one epoch higher; -1 = a new one.'),
    producerEpoch: int16('Its present epoch; -1 = a new id.'),
  },
  response: {
    errorCode: int32('0, or why there is no id.'),
    errorMessage: nullable(string('What is wrong and what to do.')),
    producerId: int64('The producer id; -1 on error.'),
    producerEpoch: int16('Its epoch; -1 on error.'),
  },
  errors: [
    'INVALID_REQUEST',
    'INVALID_PRODUCER_EPOCH',
    'UNSUPPORTED_VERSION',
    'COORDINATOR_NOT_AVAILABLE',
  ],
})
