// Which version of each API both ends speak. Enters: the broker's ranges. Leaves: the highest common version.
import { type ApiName, apis } from '../apis/index.ts'
import { unsupportedVersion } from '../codec/index.ts'
import { MinikafkaError } from '../errors.ts'

type Range = {
  readonly apiKey: number
  readonly minVersion: number
  readonly maxVersion: number
}

export class SpokenVersions {
  readonly #byKey: ReadonlyMap<number, Range>

  constructor(ranges: readonly Range[]) {
    this.#byKey = new Map(ranges.map((range) => [range.apiKey, range]))
  }

  /** Errors: UNSUPPORTED_VERSION {min, max} with the broker's range, or without where it lacks the API. */
  of(api: ApiName): number {
    const { key, name, versions } = apis[api]
    const [min, max] = versions
    const range = this.#byKey.get(key)
    if (range === undefined) {
      const message = `The broker does not have the API ${name}. Upgrade the older of the two.`
      throw new MinikafkaError('UNSUPPORTED_VERSION', { message, outcome: 'not-written' })
    }
    const version = Math.min(max, range.maxVersion)
    if (version >= min && version >= range.minVersion) return version
    throw unsupportedVersion(name, max, { min: range.minVersion, max: range.maxVersion })
  }
}
