// What is wrong with bytes from outside. Never leaves the codec: its doors turn it into a MinikafkaError.

/** `malformed`: not our language, the stream may be out of step. `value`: well-formed, but no legal value. */
export type WireReason = 'malformed' | 'value'

export class WireError extends Error {
  override name = 'WireError'
  readonly reason: WireReason
  /** Where the offending item begins, in the frame; the path of its field is found from it. */
  readonly position: number
  /** Name of the field that is missing in the struct at `position`. */
  readonly missing: string | undefined
  /** JSON pointer to the field, set on the way out; undefined outside the body. */
  path: string | undefined

  constructor(reason: WireReason, position: number, message: string, missing?: string) {
    super(message)
    this.reason = reason
    this.position = position
    this.missing = missing
  }

  /** `/appends/0/partition: expected int32` */
  get sentence(): string {
    return this.path === undefined ? this.message : `${this.path}: ${this.message}`
  }
}
