// The ports of a real process, all but the logger: for programs that bring their own, or end before one is loaded.
import type { Env } from '../env.ts'
import { nodeClock } from './clock.ts'
import { nodeCompress } from './compress.ts'
import { NodeDisk } from './disk.ts'
import { nodeHttpServer } from './http-server.ts'
import { nodeNetwork } from './network.ts'
import { nodeProgram } from './program.ts'
import { nodeRandom } from './random.ts'
import { SyncQueue, syncsAtOnce } from './sync-queue.ts'

/** `syncsAtOnceMax`: how many syncs may wait for the disk at once. Default: what the pool of libuv allows. */
export function nodePorts(
  syncsAtOnceMax: number = syncsAtOnce(process.env.UV_THREADPOOL_SIZE),
): Omit<Env, 'logger'> {
  return {
    clock: nodeClock,
    random: nodeRandom,
    disk: new NodeDisk(new SyncQueue(syncsAtOnceMax)),
    network: nodeNetwork,
    httpServer: nodeHttpServer,
    compress: nodeCompress(),
    program: nodeProgram(),
  }
}
