// The Env of a real process: the one place where the ports meet Node.
import type { Env, Logger } from '../env.ts'
import { libraryLogger } from './logger.ts'
import { nodePorts } from './node-ports.ts'

export type NodeEnvOptions = {
  /** How many syncs may wait for the disk at once. Default: what the pool of libuv allows. */
  readonly syncsAtOnceMax?: number | undefined
  /** Default: warnings and above, to stderr. */
  readonly logger?: Logger | undefined
}

export function nodeEnv(options: NodeEnvOptions = {}): Env {
  let { logger } = options
  return {
    ...nodePorts(options.syncsAtOnceMax),
    /** Made when it is first used: most give their own. */
    get logger() {
      logger ??= libraryLogger()
      return logger
    },
  }
}
