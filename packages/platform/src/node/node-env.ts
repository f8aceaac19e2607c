// The Env of a real process: the one place where the ports meet Node.
import type { Env } from '../env.ts'
import { nodeClock } from './clock.ts'
import { nodeCompress } from './compress.ts'
import { NodeDisk } from './disk.ts'
import { nodeNetwork } from './network.ts'
import { libraryLogger } from './node-logger.ts'
import { nodeProgram } from './node-program.ts'
import { nodeRandom } from './random.ts'
import { SyncQueue, syncsAtOnce } from './sync-queue.ts'

export function nodeEnv(): Env {
  return {
    clock: nodeClock,
    random: nodeRandom,
    disk: new NodeDisk(new SyncQueue(syncsAtOnce(process.env.UV_THREADPOOL_SIZE))),
    network: nodeNetwork,
    compress: nodeCompress(),
    program: nodeProgram(),
    logger: libraryLogger(),
  }
}
