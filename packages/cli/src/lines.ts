// Bytes to lines: split at a delimiter, without it. Enters: chunks. Leaves: one buffer per line, the last one also without its delimiter.

export async function* linesOf(
  chunks: AsyncIterable<Buffer>,
  delimiter: Buffer,
  bytesMax: number,
): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0)
  let number = 0
  for await (const chunk of chunks) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let from = 0
    for (let at = rest.indexOf(delimiter, from); at !== -1; at = rest.indexOf(delimiter, from)) {
      number++
      yield rest.subarray(from, at)
      from = at + delimiter.length
    }
    rest = rest.subarray(from)
    if (rest.length > bytesMax)
      throw new Error(`line ${number + 1} is longer than ${bytesMax} bytes`)
  }
  if (rest.length > 0) yield rest
}
