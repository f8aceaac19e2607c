// This machine's sockets inside a world. They run by themselves: the seed does not order what they bring.
import type { Listener, Network, NetworkError, Socket } from '@minikafka/platform'
import type { Process, Resource } from '../process.ts'

/** Real sockets of each node, to be cut by the test. */
export class HostSockets {
  readonly #byNode = new Map<string, Set<Socket>>()

  add(node: string, socket: Socket): void {
    this.#byNode.set(node, (this.#byNode.get(node) ?? new Set()).add(socket))
  }

  remove(node: string, socket: Socket): void {
    this.#byNode.get(node)?.delete(socket)
  }

  destroyAll(node: string): void {
    for (const socket of [...(this.#byNode.get(node) ?? [])]) socket.destroy()
  }
}

export function hostNetwork(owner: Process, sockets: HostSockets, real: Network): Network {
  return {
    async listen(options, accept) {
      const { onAcceptFailed } = options
      const hooks = {
        ...options,
        onAcceptFailed: (error: NetworkError) => owner.alive && onAcceptFailed?.(error),
      }
      const listener = await real.listen(hooks, (socket) => {
        if (owner.alive) accept(keptSocket(owner, sockets, socket))
        else socket.destroy()
      })
      return keptListener(owner, listener)
    },
    connect: async (options) => keptSocket(owner, sockets, await real.connect(options)),
  }
}

function keptListener(owner: Process, listener: Listener): Listener {
  const { address } = listener
  const resource: Resource = {
    about: `listener on ${address.host}:${address.port}`,
    died: () => void listener.close().catch(ignore),
  }
  owner.holds(resource)
  return {
    address,
    close() {
      owner.releases(resource)
      return listener.close()
    },
  }
}

/** Known as long as it is open; a socket that nobody reads from is let go when it is destroyed. */
function keptSocket(owner: Process, sockets: HostSockets, socket: Socket): Socket {
  const { local, remote } = socket
  const resource: Resource = {
    about: `socket ${local.host}:${local.port} to ${remote.host}:${remote.port}`,
    died: () => socket.destroy(),
  }
  owner.holds(resource)
  sockets.add(owner.node, socket)
  const gone = () => {
    owner.releases(resource)
    sockets.remove(owner.node, socket)
  }
  if (!owner.alive) socket.destroy()
  return {
    local,
    remote,
    receive: (receiver) =>
      socket.receive({
        target: () => receiver.target(),
        received: (size) => receiver.received(size),
        ended: () => receiver.ended(),
        closed(error) {
          gone()
          receiver.closed(error)
        },
      }),
    send: (buffers, done) => socket.send(buffers, done),
    queuedBytes: () => socket.queuedBytes(),
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    end: () => socket.end(),
    destroy() {
      gone()
      socket.destroy()
    },
  }
}

/** A dead process hears no errors. */
function ignore(): void {}
