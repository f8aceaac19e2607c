// ApiVersions: the first exchange of a connection. Version 0 is frozen for ever, both ways. Source: KIP-35, KIP-511.
import { defineApi, int32, list, string, struct } from '../define.ts'

/** Whoever says more than 255 characters is cut, not refused (SECURITY, row 59). */
const SAID_BYTES_MAX = 2 ** 20

const range = struct({
  apiKey: int32('API key.'),
  minVersion: int32('Lowest version spoken.'),
  maxVersion: int32('Highest version spoken.'),
})

export const apiVersions = defineApi({
  name: 'ApiVersions',
  key: 18,
  versions: [0, 0],
  audience: 'client',
  acl: { operation: 'NONE', resource: 'NONE' },
  about:
    'Says who the client is and learns what the broker speaks. Must be the first request; an unknown version is ' +
    'answered in version 0.',
  request: {
    clientName: string('Software, e.g. "@minikafka/client"; cut to 255 characters.', {
      bytesMax: SAID_BYTES_MAX,
    }),
    clientVersion: string('Its version; cut to 255 characters.', { bytesMax: SAID_BYTES_MAX }),
    clientId: string('What the user calls this client; cut to 255 characters.', {
      bytesMax: SAID_BYTES_MAX,
    }),
  },
  response: {
    brokerVersion: string('Version of the broker software.'),
    clusterId: string('The generated id of the cluster.'),
    nodeId: int32('Broker id.'),
    frameBytesMax: int32('Largest frame that the broker reads.'),
    requestsInFlightMax: int32('Requests it reads ahead of its answers on one connection.'),
    apis: list('Version ranges, by key.', range, { countMax: 1000 }),
  },
  errors: [],
})
