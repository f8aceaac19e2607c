// The native CRC-32C of @node-rs/crc32, an optional dependency. Enters: nothing. Leaves: the function, or nothing.
import { createRequire } from 'node:module'

/** Unsigned 32 bits. */
export type Crc32c = (bytes: Uint8Array, previous?: number) => number

/**
 * Undefined where the package is absent or has no binary for this machine, which its loader reports in many ways.
 *
 * It is loaded in the call: the checksum that asks for it cannot wait. In a module there is no `require`, in
 * the bundled programs (CommonJS) `import.meta` is empty; the bundler does not warn of that inside a `try`.
 */
export function nativeCrc32c(): Crc32c | undefined {
  try {
    const here: string | undefined = import.meta.url
    const load = here === undefined ? require : createRequire(here)
    const { crc32c } = load('@node-rs/crc32') as { crc32c?: Crc32c }
    return crc32c
  } catch {
    return undefined
  }
}
