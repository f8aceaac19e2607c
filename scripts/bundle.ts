// The two programs, each bundled to one CommonJS file: start-up costs 0.8 ms a file, and only a CommonJS entry can set
// the size of libuv's pool before it starts. Source: docs/decisions/0002-one-file-programs.md.
import { chmodSync, copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { build } from 'esbuild'

/** First statement of the program, before anything can start the pool. */
const POOL = "process.env.UV_THREADPOOL_SIZE ??= '16';"

/** Loaded from beside the program, on Node below 22.15. */
const ZSTD_WASM = join(
  dirname(createRequire(resolve('packages/platform/package.json')).resolve('@bokuweb/zstd-wasm')),
  'zstd.wasm',
)

/** Native and optional: loaded when installed. The rest is inside. */
const EXTERNAL = ['@node-rs/crc32', 'lz4-napi']

for (const { entry, out, ...options } of [
  {
    entry: 'packages/broker/src/bin.ts',
    out: 'packages/broker/dist/bin.cjs',
    banner: { js: `#!/usr/bin/env node\n${POOL}` },
  },
  {
    entry: 'packages/cli/src/bin.ts',
    out: 'packages/cli/dist/bin.cjs',
    banner: { js: '#!/usr/bin/env node' },
    // Read anew by every command: a third less text is 20 ms less.
    minifyWhitespace: true,
    minifySyntax: true,
  },
]) {
  await build({
    entryPoints: [entry],
    outfile: out,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    conditions: ['@minikafka/source'],
    external: EXTERNAL,
    // Only the ES modules ask where they lie.
    define: { 'import.meta.dirname': '""' },
    legalComments: 'none',
    logLevel: 'warning',
    ...options,
  })
  writeFileSync(out, asciiOf(readFileSync(out, 'utf8')))
  chmodSync(out, 0o755)
  copyFileSync(ZSTD_WASM, join(dirname(out), 'zstd.wasm'))
}

/** One wider character, in a comment, and V8 keeps two bytes for each of the whole text; the bundler escapes all others. */
function asciiOf(text: string): string {
  return text.replaceAll(/[^\p{ASCII}]/gu, '?')
}
