// Frames of metadata.log: size and CRC-32C before each payload, so that a torn or rotten one is known.
// Shape of a file: a header {format, base}, then one frame per revision; docs/files-on-disk.md.
import { crc32c } from '@minikafka/platform'
import type { Change } from './history.ts'

/** u32 size of the payload, u32 CRC-32C of the size and the payload; big-endian. */
const FRAME_HEADER_SIZE = 8
export const FORMAT = 1

export type LogHeader = {
  readonly format: number
  /** Revision of the snapshot that this file begins after. */
  readonly base: number
}

export type LoggedRevision = {
  readonly rev: number
  readonly changes: readonly { key: string; value?: string; leaseId?: string | undefined }[]
}

export function encodeHeader(base: number): Buffer {
  return encodeFrame(JSON.stringify({ format: FORMAT, base }))
}

/** `[key]` deletes, `[key, value]` and `[key, value, leaseId]` put. */
export function encodeRevision(rev: number, changes: readonly Change[]): Buffer {
  const rows = changes.map(({ key, after }) => {
    if (after === undefined) return [key]
    return after.leaseId === undefined ? [key, after.value] : [key, after.value, after.leaseId]
  })
  return encodeFrame(JSON.stringify({ rev, changes: rows }))
}

function encodeFrame(payload: string): Buffer {
  const size = Buffer.byteLength(payload)
  const frame = Buffer.allocUnsafe(FRAME_HEADER_SIZE + size)
  frame.writeUInt32BE(size, 0)
  frame.write(payload, FRAME_HEADER_SIZE, 'utf8')
  frame.writeUInt32BE(checksum(frame), 4)
  return frame
}

function checksum(frame: Buffer): number {
  return crc32c(frame.subarray(FRAME_HEADER_SIZE), crc32c(frame.subarray(0, 4)))
}

/** The payload of the frame at `position` and where the next one begins; undefined: there is no whole one. */
export function readFrame(
  bytes: Buffer,
  position: number,
): { readonly payload: unknown; readonly end: number } | undefined {
  if (position + FRAME_HEADER_SIZE > bytes.length) return undefined
  const end = position + FRAME_HEADER_SIZE + bytes.readUInt32BE(position)
  if (end > bytes.length) return undefined
  const frame = bytes.subarray(position, end)
  if (frame.readUInt32BE(4) !== checksum(frame)) return undefined
  return { payload: JSON.parse(frame.toString('utf8', FRAME_HEADER_SIZE)), end }
}

export function asHeader(payload: unknown): LogHeader | undefined {
  if (typeof payload !== 'object' || payload === null) return undefined
  const { format, base } = payload as { format?: unknown; base?: unknown }
  if (!Number.isSafeInteger(format) || !Number.isSafeInteger(base)) return undefined
  return { format: format as number, base: base as number }
}

export function asRevision(payload: unknown): LoggedRevision | undefined {
  if (typeof payload !== 'object' || payload === null) return undefined
  const { rev, changes } = payload as { rev?: unknown; changes?: unknown }
  if (!Number.isSafeInteger(rev) || !Array.isArray(changes)) return undefined
  return {
    rev: rev as number,
    changes: changes.map(([key, value, leaseId]) => ({ key, value, leaseId })),
  }
}
