// DescribeBroker: how the process of this broker is.
//
// Versions   0.
import type { Apis, RequestOf, ResponseOf } from '@minikafka/protocol'
import type { Context } from './context.ts'

type Request = RequestOf<Apis['describeBroker']>
type Response = ResponseOf<Apis['describeBroker']>

export async function describeBroker(
  _request: Request,
  { env, rooms }: Context,
): Promise<Response> {
  const { program, clock } = env
  const { rssBytes, heapUsedBytes } = program.memory()
  const files = await program.openFiles()
  return {
    nodeId: rooms.nodeId,
    version: rooms.version,
    nodeVersion: program.nodeVersion,
    platform: program.platform,
    timeMs: clock.wallMs(),
    uptimeMs: Math.round(program.uptimeMs()),
    rssBytes,
    heapUsedBytes,
    openFiles: files?.open ?? -1,
    openFilesMax: files?.max ?? -1,
  }
}
