// The two ends of a connection in a simulated world, as its tests use them: each writes down what happens to it.
import type { Env, Socket } from '@minikafka/platform'
import type { World } from '../src/world/index.ts'

export type End = {
  readonly socket: Socket
  readonly chunks: Buffer[]
  readonly events: string[]
  size(): number
  text(): string
}

const ADDRESS = { host: 'server', port: 9092 }

/** From node `client` to node `server`. */
export async function connected(world: World): Promise<{ client: End; server: End }> {
  let server: End | undefined
  await world.env('server').network.listen(ADDRESS, (socket) => {
    server ??= observe(socket)
  })
  const { network }: Env = world.env('client')
  const client = observe(await world.complete(network.connect({ ...ADDRESS, timeoutMs: 5000 })))
  await world.until(() => server !== undefined)
  return { client, server: server as unknown as End }
}

export function observe(socket: Socket): End {
  const end: End = {
    socket,
    chunks: [],
    events: [],
    size: () => end.chunks.reduce((sum, chunk) => sum + chunk.length, 0),
    text: () => String(Buffer.concat(end.chunks)),
  }
  const memory = Buffer.alloc(70_000)
  socket.receive({
    target: () => memory,
    received: (size) => end.chunks.push(Buffer.from(memory.subarray(0, size))),
    ended: () => end.events.push('ended'),
    closed: (error) =>
      end.events.push(error ? `closed ${(error as { code?: string }).code}` : 'closed'),
  })
  return end
}
