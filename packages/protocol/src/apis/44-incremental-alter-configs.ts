// IncrementalAlterConfigs. Source: Kafka IncrementalAlterConfigsRequest.json, KIP-339.
import { bool, defineApi, int8, int32, list, nullable, string, struct } from '../define.ts'

const change = struct({
  name: string('Name of the setting.'),
  operation: int8('0 = set, 1 = delete (back to the default).'),
  value: nullable(string('The new value as text; null with delete.')),
})

const resource = struct({
  resourceType: int8('2 = topic, 4 = broker.'),
  resourceName: string('Topic name, or broker id as text.'),
  changes: list('Each setting once.', change, { countMax: 1000 }),
})

const result = struct({
  errorCode: int32('0 when changed; on error nothing of this resource is.'),
  errorMessage: nullable(string('What is wrong and what to do.')),
  resourceType: int8('As asked for.'),
  resourceName: string('As asked for.'),
})

export const incrementalAlterConfigs = defineApi({
  name: 'IncrementalAlterConfigs',
  key: 44,
  versions: [0, 0],
  audience: 'client',
  acl: { operation: 'ALTER_CONFIGS', resource: 'TOPIC' },
  about: 'Change single settings of topics and brokers; the others keep their values.',
  request: {
    resources: list('Each resource once.', resource, { countMax: 1000 }),
    validateOnly: bool('Check everything, change nothing.'),
  },
  response: { results: list('In the order of the request.', result, { countMax: 1000 }) },
  errors: [
    'UNKNOWN_TOPIC_OR_PARTITION',
    'INVALID_CONFIG',
    'INVALID_REQUEST',
    'TOPIC_AUTHORIZATION_FAILED',
  ],
})
