// The store's files are not what was acknowledged: nothing was changed, and the broker must not start.

export class StoreDamaged extends Error {
  override name = 'StoreDamaged'
  declare readonly path: string
  constructor(path: string, message: string, options?: ErrorOptions) {
    super(`${path}: ${message}`, options)
    this.path = path
  }
}
