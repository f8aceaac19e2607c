// What the files hold: snapshot, then the log up to its end. Decides torn tail or damage by the floor, changes nothing.
// Source: REPLICATION 2.12.1, step 5.
import type { Env } from '@minikafka/platform'
import { decodeFloor } from './floor.ts'
import { asHeader, asRevision, FORMAT, readFrame } from './frame.ts'
import { Keyspace } from './keyspace.ts'
import { decodeSnapshot, type Snapshot } from './snapshot.ts'
import { StoreDamaged } from './store-damaged.ts'

export type StoreFiles = {
  readonly logPath: string
  readonly snapshotPath: string
  readonly floorPath: string
}

export type Loaded = {
  readonly keyspace: Keyspace
  /** The log begins after this revision. */
  readonly base: number
  /** End of its last whole frame; undefined: there is no log yet, this is the first start. */
  readonly position: number | undefined
  /** Bytes behind `position`, to be cut. */
  readonly tornBytes: number
}

/** Errors: StoreDamaged. */
export async function loadStore(env: Env, files: StoreFiles, historyMax: number): Promise<Loaded> {
  const { logPath, snapshotPath, floorPath } = files
  const snapshotBytes = await env.disk.readFile(snapshotPath)
  const log = await env.disk.readFile(logPath)
  const floor = decodeFloor(await env.disk.readFile(floorPath))
  const snapshot = readSnapshot(snapshotPath, snapshotBytes)
  const keyspace = new Keyspace(snapshot?.rev ?? 0, snapshot?.kvs ?? [], historyMax)
  if (log === undefined) {
    if (snapshot !== undefined || floor !== undefined) {
      throw new StoreDamaged(logPath, 'it is missing, but was there when this broker ran last')
    }
    return { keyspace, base: 0, position: undefined, tornBytes: 0 }
  }
  const { base, end: begin } = readHeader(logPath, log)
  if (base > keyspace.rev) {
    throw new StoreDamaged(
      snapshotPath,
      `it must reach revision ${base}, where the log begins; it is older or missing`,
    )
  }
  if (floor !== undefined && floor.base > base) {
    throw new StoreDamaged(logPath, 'it is older than what this broker had when it ran last')
  }
  const position = replay(keyspace, log, begin)
  // A floor of an earlier log says nothing about this one.
  const floorPosition = floor?.base === base ? floor.position : 0
  if (position < floorPosition) {
    throw new StoreDamaged(
      logPath,
      `damaged at byte ${position}, below byte ${floorPosition} that was safely on the disk. ` +
        'Acknowledged changes of the metadata are lost here; nothing was changed. Restore the file from a backup.',
    )
  }
  return { keyspace, base, position, tornBytes: log.length - position }
}

function readSnapshot(path: string, bytes: Buffer | undefined): Snapshot | undefined {
  if (bytes === undefined) return undefined
  const snapshot = decodeSnapshot(bytes)
  if (snapshot === undefined) throw new StoreDamaged(path, 'its checksum does not fit')
  checkFormat(path, snapshot.format)
  return snapshot
}

function readHeader(path: string, log: Buffer): { base: number; end: number } {
  const frame = readFrame(log, 0)
  const header = asHeader(frame?.payload)
  if (frame === undefined || header === undefined)
    throw new StoreDamaged(path, 'its first frame is damaged')
  checkFormat(path, header.format)
  return { base: header.base, end: frame.end }
}

function checkFormat(path: string, format: number): void {
  if (format === FORMAT) return
  throw new StoreDamaged(
    path,
    `format ${format}, this version reads ${FORMAT}: use the broker that wrote it`,
  )
}

/** Applies what follows on the snapshot; returns the end of the last frame that is whole and in order. */
function replay(keyspace: Keyspace, log: Buffer, begin: number): number {
  let position = begin
  for (;;) {
    const frame = readFrame(log, position)
    const revision = asRevision(frame?.payload)
    if (frame === undefined || revision === undefined || revision.rev > keyspace.rev + 1)
      return position
    if (revision.rev === keyspace.rev + 1) keyspace.replay(revision.changes)
    position = frame.end
  }
}
