// What only a group can do, and what to do without one.
import { MinikafkaError } from '@minikafka/protocol'

export function needsGroup(what: string): MinikafkaError {
  return new MinikafkaError('INVALID_OPTION', {
    message:
      `consumer.${what} needs a group, which keeps the offsets; without one keep nextOffset(at) yourself, ` +
      'and begin there: assign: [{ topic, partition, start: nextOffset }]',
  })
}
