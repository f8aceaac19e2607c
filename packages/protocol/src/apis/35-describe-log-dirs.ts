// DescribeLogDirs: what lies where on disk. Source: Kafka DescribeLogDirsRequest.json, KIP-113, KIP-827.
import { defineApi, int32, int64, list, nullable, offset, string, struct, uuid } from '../define.ts'

const partition = struct({
  partition: int32('Partition number.'),
  sizeBytes: int64('Bytes of its segment files.'),
  segmentCount: int32('How many segments it has.'),
  logStartOffset: offset('Where its log begins.'),
  logEndOffset: offset('Where its log ends.'),
})

const topic = struct({
  name: string('Topic name.'),
  topicId: uuid('Topic id.'),
  partitions: list('Partitions kept in this directory.', partition, { countMax: 10_000 }),
})

const result = struct({
  errorCode: int32('0, or KAFKA_STORAGE_ERROR where the directory is offline.'),
  errorMessage: nullable(string('What is wrong and what to do.')),
  logDir: string('Path on the broker.'),
  totalBytes: int64('Size of its file system.'),
  usableBytes: int64('Free space there.'),
  topics: list('Topics kept in this directory, in name order.', topic, { countMax: 100_000 }),
})

export const describeLogDirs = defineApi({
  name: 'DescribeLogDirs',
  key: 35,
  versions: [0, 0],
  audience: 'client',
  acl: { operation: 'DESCRIBE', resource: 'CLUSTER' },
  about: 'Data directories of this broker, with the size of every partition.',
  request: {
    names: nullable(list('Topics wanted; null = all.', string('Name.'), { countMax: 10_000 })),
  },
  response: { results: list('One per directory.', result, { countMax: 100 }) },
  errors: ['KAFKA_STORAGE_ERROR'],
})
