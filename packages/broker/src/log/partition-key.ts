// How checkpoints name a partition, and how directories are called. Enters: topic id and number. Leaves: text.

export type PartitionKey = string

export function partitionKey(topicId: string, partition: number): PartitionKey {
  return `${topicId} ${partition}`
}

export function directoryNameOf(topic: string, partition: number): string {
  return `${topic}-${partition}`
}

const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'
const UUID_ALONE = new RegExp(`^${UUID}$`)
const OUT_OF_SERVICE = new RegExp(`^(${UUID}-\\d+)\\.(delete|stray|diverged)$`)

export function isTopicId(text: unknown): text is string {
  return typeof text === 'string' && UUID_ALONE.test(text)
}

/** `orders-eu-3`: digits after the last dash. Whether it is ours, its partition.meta says. */
export function isPartitionDirectoryName(name: string): boolean {
  return /^.+-\d+$/.test(name)
}

export type OutOfService = 'delete' | 'stray' | 'diverged'

/** What a directory is called that leaves service (REPLICATION 2.1). */
export function outOfServiceName(topicId: string, partition: number, why: OutOfService): string {
  return `${topicId}-${partition}.${why}`
}

export function outOfServiceKind(name: string): OutOfService | undefined {
  return OUT_OF_SERVICE.exec(name)?.[2] as OutOfService | undefined
}

/** The sixteen bytes of a UUID. */
export function topicIdBytes(topicId: string): Buffer {
  return Buffer.from(topicId.replaceAll('-', ''), 'hex')
}

export function topicIdOf(bytes: Uint8Array): string {
  const digits = Buffer.from(bytes.buffer, bytes.byteOffset, 16).toString('hex')
  const parts = [0, 8, 12, 16, 20].map((from, index, all) => digits.slice(from, all[index + 1]))
  return parts.join('-')
}
