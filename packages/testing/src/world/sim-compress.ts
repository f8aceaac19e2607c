// Compression is pure: the world uses Node's. Only loading a codec is real work; the world waits for it.
import type { Compress } from '@minikafka/platform'
import type { Ground } from './ground.ts'
import type { Process } from './process.ts'

export function simCompress(ground: Ground, owner: Process, real: Compress): Compress {
  return {
    prepare: (name) =>
      new Promise((resolve, reject) => {
        ground.scheduler.schedule(owner, 'io', 'compress prepare', 0, () =>
          real.prepare(name).then(resolve, reject),
        )
      }),
    compress: (name, input) => real.compress(name, input),
    decompress: (name, input, sizeMax) => real.decompress(name, input, sizeMax),
  }
}
