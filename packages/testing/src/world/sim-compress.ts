// Compression is pure: the world uses Node's. Only loading a codec is real work; the world waits for it.
import type { Compress, CompressionName } from '@minikafka/platform'
import type { Ground } from './ground.ts'
import type { Process } from './process.ts'

export function simCompress(ground: Ground, owner: Process, real: Compress): Compress {
  const prepared = new Map<CompressionName, Promise<void>>()
  const prepare = (name: CompressionName) =>
    new Promise<void>((resolve, reject) => {
      const load = () => real.prepare(name).then(resolve, reject)
      ground.scheduler.schedule(owner, 'io', 'compress prepare', 0, load)
    })
  return {
    prepare(name) {
      const known = prepared.get(name) ?? prepare(name)
      prepared.set(name, known)
      return known
    },
    compress: (name, input) => real.compress(name, input),
    decompress: (name, input, sizeMax) => real.decompress(name, input, sizeMax),
  }
}
