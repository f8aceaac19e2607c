// SIGHUP: the configuration file, read again while the broker runs. Enters: that somebody asked. Leaves: the settings that
// may change at once, changed; what waits for a restart, named; or a sentence on why nothing was changed.
import { DiskError, type Env } from '@minikafka/platform'
import { InvalidConfig, type LiveConfig } from '../config/index.ts'
import { readConfigFile } from './flags.ts'

export class Reload {
  readonly #env: Env
  readonly #config: LiveConfig
  readonly #file: string | undefined
  /** One after the other, or the older content of the file could be applied last. */
  #last: Promise<void> = Promise.resolve()

  constructor(env: Env, config: LiveConfig, file: string | undefined) {
    this.#env = env
    this.#config = config
    this.#file = file
  }

  ask(): void {
    this.#last = this.#last.then(() => this.#read())
  }

  async #read(): Promise<void> {
    const { logger } = this.#env
    const file = this.#file
    if (file === undefined) {
      logger.warn('SIGHUP: there is no file to read again, the broker was started without --config')
      return
    }
    try {
      const restart = this.#config.setFile(await readConfigFile(this.#env, file))
      if (restart.length > 0) logger.warn({ settings: restart }, 'these settings take a restart')
      logger.info({ file }, 'read the configuration again')
    } catch (error) {
      if (!(error instanceof InvalidConfig || error instanceof DiskError)) throw error
      logger.error({ file, reason: error.message }, 'SIGHUP: nothing was changed')
    }
  }
}
