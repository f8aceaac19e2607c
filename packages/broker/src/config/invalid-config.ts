// The error of the configuration room. Enters: a setting and what is wrong with it. Leaves: what whoever gave it is told.

/** Configuration that cannot be used: the start is refused. `key` names the setting as it was written. */
export class InvalidConfig extends Error {
  override name = 'InvalidConfig'
  declare readonly key: string
  constructor(key: string, message: string) {
    super(message)
    this.key = key
  }
}
