// The keys of the store (REPLICATION 3.2): how each is written and read back. All are printable ASCII.

export const META_KEY = 'meta'
export const CONTROLLER_KEY = 'ctrl'
export const PRODUCER_ID_KEY = 'pid'
export const CLUSTER_CONFIG_KEY = 'cfg/cluster'

export function brokerKey(brokerId: number): string {
  return `b/${brokerId}`
}

export function brokerStatusKey(brokerId: number): string {
  return `bs/${brokerId}`
}

export function topicKey(topicId: string): string {
  return `t/${topicId}`
}

export function topicNameKey(name: string): string {
  return `tn/${name}`
}

export function partitionKey(topicId: string, partition: number): string {
  return `p/${topicId}/${partition}`
}

/** Prefix of all partitions of a topic. */
export function partitionsPrefix(topicId: string): string {
  return `p/${topicId}/`
}

export function brokerConfigKey(brokerId: number): string {
  return `cfg/broker/${brokerId}`
}

/** What a key names. */
export type Key =
  | { readonly kind: 'meta' }
  | { readonly kind: 'controller' }
  | { readonly kind: 'producerId' }
  | { readonly kind: 'clusterConfig' }
  | { readonly kind: 'broker'; readonly brokerId: number }
  | { readonly kind: 'brokerStatus'; readonly brokerId: number }
  | { readonly kind: 'brokerConfig'; readonly brokerId: number }
  | { readonly kind: 'topic'; readonly topicId: string }
  | { readonly kind: 'topicName'; readonly name: string }
  | { readonly kind: 'partition'; readonly topicId: string; readonly partition: number }

const FIXED = new Map<string, Key>([
  [META_KEY, { kind: 'meta' }],
  [CONTROLLER_KEY, { kind: 'controller' }],
  [PRODUCER_ID_KEY, { kind: 'producerId' }],
  [CLUSTER_CONFIG_KEY, { kind: 'clusterConfig' }],
])

/** Undefined: a key of a later version, which is left alone. */
export function parseKey(key: string): Key | undefined {
  const fixed = FIXED.get(key)
  if (fixed) return fixed
  const [prefix, first = '', second, ...more] = key.split('/')
  if (more.length > 0 || first === '') return undefined
  if (second !== undefined) return parseLongKey(prefix, first, second)
  const brokerId = parseId(first)
  switch (prefix) {
    case 't':
      return { kind: 'topic', topicId: first }
    case 'tn':
      return { kind: 'topicName', name: first }
    case 'b':
      return brokerId === undefined ? undefined : { kind: 'broker', brokerId }
    case 'bs':
      return brokerId === undefined ? undefined : { kind: 'brokerStatus', brokerId }
    default:
      return undefined
  }
}

function parseLongKey(prefix: string | undefined, first: string, second: string): Key | undefined {
  const id = parseId(second)
  if (id === undefined) return undefined
  if (prefix === 'p') return { kind: 'partition', topicId: first, partition: id }
  if (prefix === 'cfg' && first === 'broker') return { kind: 'brokerConfig', brokerId: id }
  return undefined
}

/** Digits as we write them: no sign, no leading zero, within int32. */
function parseId(text: string): number | undefined {
  if (!/^(?:0|[1-9]\d{0,9})$/.test(text)) return undefined
  const id = Number(text)
  return id <= 2 ** 31 - 1 ? id : undefined
}
