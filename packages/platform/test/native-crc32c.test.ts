// The native checksum must be found in every form in which the code is shipped: from source, and bundled either way.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { afterAll, expect, test } from 'vitest'
import { crc32cOwn } from '../src/crc32c-own.ts'
import { nativeCrc32c } from '../src/node/native-crc32c.ts'

const directory = mkdtempSync(join(tmpdir(), 'minikafka-bundle-'))
const here = import.meta.dirname

afterAll(() => rmSync(directory, { recursive: true }))

const PROBE = `
  import { crc32c } from '../src/crc32c.ts'
  import { nativeCrc32c } from '../src/node/native-crc32c.ts'
  console.log(typeof nativeCrc32c(), crc32c(Buffer.alloc(1000, 1)))`

async function bundled(format: 'cjs' | 'esm', folder: string): Promise<string> {
  const outfile = join(directory, folder, `probe.${format === 'cjs' ? 'cjs' : 'mjs'}`)
  const { warnings } = await build({
    stdin: { contents: PROBE, resolveDir: here, loader: 'ts' },
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format,
    external: ['@node-rs/crc32'],
  })
  expect(warnings).toEqual([])
  // The scripts that pnpm makes point NODE_PATH to everything that is installed here.
  return execFileSync(process.execPath, [outfile], { encoding: 'utf8', env: {} }).trim()
}

for (const format of ['cjs', 'esm'] as const) {
  test(`a ${format} bundle loads the native code that is installed beside it`, async () => {
    mkdirSync(join(directory, format))
    symlinkSync(join(here, '../node_modules'), join(directory, format, 'node_modules'))
    const kind = typeof nativeCrc32c()
    expect(await bundled(format, format)).toBe(`${kind} ${crc32cOwn(Buffer.alloc(1000, 1))}`)
  })

  test(`a ${format} bundle does without`, async () => {
    expect(await bundled(format, 'bare')).toBe(`undefined ${crc32cOwn(Buffer.alloc(1000, 1))}`)
  })
}
