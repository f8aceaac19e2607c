// The headers of one record, read when somebody asks for them.

export type RecordHeader = readonly [name: string, value: Buffer | null]

/**
 * Headers in order, duplicates kept.
 *
 * Shape   `body`, `start`, `count`: as the cursor of a BatchReader gave them, which has checked these bytes.
 *         Values are views of `body`; a name that is no UTF-8 shows U+FFFD.
 */
export function readRecordHeaders(body: Buffer, start: number, count: number): RecordHeader[] {
  const headers: RecordHeader[] = []
  let position = start
  for (let index = 0; index < count; index++) {
    const name = readSized(body, position)
    const value = readSized(body, name.end)
    headers.push([
      body.toString('utf8', name.start, name.end),
      value.isNull ? null : body.subarray(value.start, value.end),
    ])
    position = value.end
  }
  return headers
}

function readSized(body: Buffer, at: number): { start: number; end: number; isNull: boolean } {
  let bits = 0
  let start = at
  let byte: number
  let shift = 0
  do {
    byte = body.readUInt8(start++)
    bits |= (byte & 0x7f) << shift
    shift += 7
  } while (byte >= 0x80)
  const size = (bits >>> 1) ^ -(bits & 1)
  return { start, end: start + Math.max(size, 0), isNull: size < 0 }
}
