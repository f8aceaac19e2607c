// The Env of a real process: the one place where the ports meet Node.
import type { Env, Logger } from '../env.ts'
import { nodeClock } from './clock.ts'
import { nodeCompress } from './compress.ts'
import { NodeDisk } from './disk.ts'
import { nodeHttpServer } from './http-server.ts'
import { libraryLogger } from './logger.ts'
import { nodeNetwork } from './network.ts'
import { nodeProgram } from './program.ts'
import { nodeRandom } from './random.ts'
import { SyncQueue, syncsAtOnce } from './sync-queue.ts'

export type NodeEnvOptions = {
  /** How many syncs may wait for the disk at once. Default: what the pool of libuv allows. */
  readonly syncsAtOnceMax?: number | undefined
  /** Default: warnings and above, to stderr. */
  readonly logger?: Logger | undefined
}

export function nodeEnv(options: NodeEnvOptions = {}): Env {
  const { syncsAtOnceMax = syncsAtOnce(process.env.UV_THREADPOOL_SIZE) } = options
  let { logger } = options
  return {
    clock: nodeClock,
    random: nodeRandom,
    disk: new NodeDisk(new SyncQueue(syncsAtOnceMax)),
    network: nodeNetwork,
    httpServer: nodeHttpServer,
    compress: nodeCompress(),
    program: nodeProgram(),
    /** Made when it is first used: most give their own. */
    get logger() {
      logger ??= libraryLogger()
      return logger
    },
  }
}
