// DescribeConfigs. Source: Kafka DescribeConfigsRequest.json, KIP-226, KIP-569.
import { bool, defineApi, int8, int32, list, nullable, string, struct } from '../define.ts'

const resource = struct({
  resourceType: int8('2 = topic, 4 = broker.'),
  resourceName: string('Topic name, or broker id as text.'),
  names: nullable(list('Settings wanted; null = all.', string('Name.'), { countMax: 1000 })),
})

const entry = struct({
  name: string('Name of the setting.'),
  value: nullable(string('Its value as text; null = not set.')),
  origin: string('Where the value comes from: topic, dynamic, file, environment, flag, default.'),
  readOnly: bool('True where only a restart changes it.'),
  about: string('What it means.'),
})

const result = struct({
  errorCode: int32('0, or why nothing is described.'),
  errorMessage: nullable(string('What is wrong and what to do.')),
  resourceType: int8('As asked for.'),
  resourceName: string('As asked for.'),
  entries: list('The settings, in name order.', entry, { countMax: 1000 }),
})

export const describeConfigs = defineApi({
  name: 'DescribeConfigs',
  key: 32,
  versions: [0, 0],
  audience: 'client',
  acl: { operation: 'DESCRIBE_CONFIGS', resource: 'TOPIC' },
  about: 'The settings of topics and brokers, with the origin of each value.',
  request: { resources: list('Topics and brokers.', resource, { countMax: 1000 }) },
  response: { results: list('In the order of the request.', result, { countMax: 1000 }) },
  errors: ['UNKNOWN_TOPIC_OR_PARTITION', 'INVALID_REQUEST', 'INVALID_CONFIG'],
})
