// DescribeBroker: how the process of one broker is. Our own API: Kafka has it in JMX, for whoever is on the machine.
import { defineApi, int32, int64, string, time } from '../define.ts'

export const describeBroker = defineApi({
  name: 'DescribeBroker',
  key: 10_000,
  versions: [0, 0],
  audience: 'client',
  acl: { operation: 'DESCRIBE', resource: 'CLUSTER' },
  about: 'The process of this broker: its clock, versions, memory and file descriptors.',
  request: {},
  response: {
    nodeId: int32('Broker id.'),
    version: string('Version of its software.'),
    nodeVersion: string('Version of Node.js.'),
    platform: string('Operating system, as Node.js calls it.'),
    timeMs: time('Its wall clock when it answered.'),
    uptimeMs: int64('Since the process started.'),
    rssBytes: int64('Memory that the process has.'),
    heapUsedBytes: int64('Of that, objects.'),
    openFiles: int64('File descriptors in use, sockets included; -1 = the system does not tell.'),
    openFilesMax: int64('How many it may have; -1 = the system does not tell.'),
  },
  errors: [],
})
