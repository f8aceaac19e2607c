// `meta.json`: who owns a data directory; `clean-shutdown.json`: that its last owner left it in order.
// Enters: the two files. Leaves: their content, checked. Both end with their CRC-32C (checked-text.ts).
//
//   meta.json              { "formatVersion": 1, "clusterId": "…", "brokerId": 1, "dirId": "…", "maxRevSeen": 42 }
//   clean-shutdown.json    { "dirId": "…", "brokerEpoch": 7, "revision": 42,
//                            "logs": { "<topic id> <partition>": [0, 4711, 123, 9, [[0, 0]], null], … } }
//                          revision: where the metadata store stood: a broker that starts takes it further
//                          logs: those that were closed in order (closed-log.ts). Others are scanned
import type { Disk } from '@minikafka/platform'
import { checkedJson, jsonWithChecksum, withChecksum } from './checked-text.ts'
import { type ClosedLog, closedLogOf, rowOf } from './closed-log.ts'
import type { PartitionKey } from './partition-key.ts'
import { EXIT, StartError } from './start-error.ts'

export const DIRECTORY_FORMAT_VERSION = 1

/** Who owns a data directory. */
export type DirectoryMeta = {
  readonly formatVersion: number
  readonly clusterId: string
  readonly brokerId: number
  readonly dirId: string
  /** Highest revision of the metadata store that was seen (REPLICATION 3.5). */
  readonly maxRevSeen: number
}

export type CleanShutdown = {
  readonly dirId: string
  readonly brokerEpoch: number
  /** Of the metadata store at that moment. */
  readonly revision: number
  /** Logs that were closed in order. */
  readonly logs: ReadonlyMap<PartitionKey, ClosedLog>
}

export function metaPath(directory: string): string {
  return `${directory}/meta.json`
}

export function cleanShutdownPath(directory: string): string {
  return `${directory}/clean-shutdown.json`
}

/** Errors: StartError where the file is damaged or of another format version. */
export async function loadDirectoryMeta(
  disk: Disk,
  directory: string,
): Promise<DirectoryMeta | undefined> {
  const path = metaPath(directory)
  const content = await disk.readFile(path)
  if (content === undefined) return undefined
  const fields = checkedJson(content)
  if (fields === undefined) {
    throw new StartError(
      EXIT.io,
      path,
      'is damaged, its checksum does not fit. Nothing was changed; restore it from a copy.',
    )
  }
  const { formatVersion, clusterId, brokerId, dirId, maxRevSeen } = fields
  if (formatVersion !== DIRECTORY_FORMAT_VERSION) {
    const versions = `format version ${String(formatVersion)}; this program knows version ${DIRECTORY_FORMAT_VERSION}`
    throw new StartError(
      EXIT.foreign,
      path,
      `the data directory has ${versions}. Nothing was changed.`,
    )
  }
  const isWhole = typeof clusterId === 'string' && typeof dirId === 'string'
  if (!isWhole || !isCount(brokerId) || !isCount(maxRevSeen)) {
    throw new StartError(
      EXIT.io,
      path,
      'lacks a field or has one of the wrong type. Nothing was changed.',
    )
  }
  return { formatVersion, clusterId, brokerId, dirId, maxRevSeen }
}

export async function saveDirectoryMeta(
  disk: Disk,
  directory: string,
  meta: DirectoryMeta,
): Promise<void> {
  await disk.replaceFile(metaPath(directory), jsonWithChecksum(meta))
}

/** undefined: there is none, or it is damaged or of another directory: the stop counts as unclean. */
export async function loadCleanShutdown(
  disk: Disk,
  directory: string,
  dirId: string,
): Promise<CleanShutdown | undefined> {
  const content = await disk.readFile(cleanShutdownPath(directory))
  const fields = content && checkedJson(content)
  if (fields === undefined || fields.dirId !== dirId) return undefined
  const { brokerEpoch, revision } = fields
  const logs = closedLogs(fields.logs)
  if (!Number.isSafeInteger(brokerEpoch) || !isCount(revision) || logs === undefined)
    return undefined
  return { dirId, brokerEpoch: brokerEpoch as number, revision, logs }
}

export async function saveCleanShutdown(
  disk: Disk,
  directory: string,
  { dirId, brokerEpoch, revision, logs }: CleanShutdown,
): Promise<void> {
  const rows = [...logs].map(([key, log]) => [key, rowOf(log)] as const)
  const mark = { dirId, brokerEpoch, revision, logs: Object.fromEntries(rows) }
  await disk.replaceFile(cleanShutdownPath(directory), withChecksum(JSON.stringify(mark)))
}

function closedLogs(value: unknown): Map<PartitionKey, ClosedLog> | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const logs = new Map<PartitionKey, ClosedLog>()
  for (const [key, row] of Object.entries(value)) {
    const log = closedLogOf(row)
    if (log === undefined) return undefined
    logs.set(key, log)
  }
  return logs
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
