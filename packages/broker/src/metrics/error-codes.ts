// Errors inside an answer that went well as a whole: one of its partitions, topics or members. Enters: a decoded
// response. Leaves: each `errorCode` that is not 0. Responses are as deep as their definitions, records stay bytes.

/** Fields of items of lists of items: topics, their partitions, and one to spare. */
const DEPTH_MAX = 3

export function eachErrorCode(answer: unknown, tell: (code: number) => void, depth = 0): void {
  if (typeof answer !== 'object' || answer === null) return
  const fields = answer as Record<string, unknown>
  const { errorCode } = fields
  if (typeof errorCode === 'number' && errorCode !== 0) tell(errorCode)
  if (depth === DEPTH_MAX) return
  for (const name in fields) {
    const value = fields[name]
    if (!Array.isArray(value) || typeof value[0] !== 'object') continue
    for (const item of value) if (!ArrayBuffer.isView(item)) eachErrorCode(item, tell, depth + 1)
  }
}
