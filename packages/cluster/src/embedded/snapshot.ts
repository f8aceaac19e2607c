// metadata.snapshot: all keys at one revision, as lines of JSON; the last line is the CRC-32C of those before.
import { crc32c } from '@minikafka/platform'
import type { KeyValue } from '../meta-store.ts'
import { FORMAT } from './frame.ts'

export type Snapshot = { readonly rev: number; readonly kvs: readonly KeyValue[] }

export function encodeSnapshot({ rev, kvs }: Snapshot): Buffer {
  const rows = kvs.map(({ key, value, createRev, modRev, leaseId }) =>
    JSON.stringify([key, value, createRev, modRev, ...(leaseId === undefined ? [] : [leaseId])]),
  )
  const text = [JSON.stringify({ format: FORMAT, rev, count: kvs.length }), ...rows, ''].join('\n')
  const crc = crc32c(Buffer.from(text)).toString(16).padStart(8, '0')
  return Buffer.from(`${text}${crc}\n`)
}

/** Undefined where the checksum does not fit; then nothing of it can be believed. */
export function decodeSnapshot(
  bytes: Buffer,
): (Snapshot & { readonly format: number }) | undefined {
  const bodySize = bytes.length - 9
  if (bodySize < 0) return undefined
  const crc = crc32c(bytes.subarray(0, bodySize)).toString(16).padStart(8, '0')
  if (bytes.toString('latin1', bodySize) !== `${crc}\n`) return undefined
  const [first = '', ...rows] = bytes.toString('utf8', 0, bodySize - 1).split('\n')
  const { format, rev } = JSON.parse(first) as { format: number; rev: number }
  if (format !== FORMAT) return { format, rev, kvs: [] }
  return { format, rev, kvs: rows.map(decodeRow) }
}

function decodeRow(row: string): KeyValue {
  const [key, value, createRev, modRev, leaseId] = JSON.parse(row) as [
    string,
    string,
    number,
    number,
    string?,
  ]
  return { key, value, createRev, modRev, leaseId }
}
