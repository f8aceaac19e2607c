// The tarballs that would be published. Enters: a folder. Leaves: their paths, or a sentence on what must not be in one.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'

/** Of a tarball. The broker and the command line carry a program each, bundled with all it needs. */
const PROGRAM_BYTES_MAX = 1_000_000
const LIBRARY_BYTES_MAX = 200_000
/** Maps without the sources that they speak of say nothing; the rest is no business of who installs us. */
const FORBIDDEN = [/\.map$/, /\.test\./, /\.tsbuildinfo$/, /\/src\//, /\/testdata\//]
const REQUIRED = ['package/package.json', 'package/README.md', 'package/LICENSE']

/** Packs the packages of the workspace that are wanted; prints a line for each. */
export function packAll(into: string, isWanted = (_name: string) => true): string[] {
  mkdirSync(into, { recursive: true })
  return readdirSync('packages')
    .map((folder) => join('packages', folder))
    .filter((folder) => isWanted(manifest(folder).name))
    .map((folder) => packOne(folder, resolve(into)))
}

function packOne(folder: string, into: string): string {
  const { packageManager = '' } = manifest('.')
  const args = ['--yes', packageManager, 'pack', '--pack-destination', into]
  execFileSync('npx', args, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })
  const { name, version, bin } = manifest(folder)
  const path = join(into, `${name.replace('@', '').replace('/', '-')}-${version}.tgz`)
  check(path, bin === undefined ? LIBRARY_BYTES_MAX : PROGRAM_BYTES_MAX)
  return path
}

type Manifest = {
  readonly name: string
  readonly version: string
  readonly bin?: object
  readonly packageManager?: string
}

function manifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
}

function check(path: string, bytesMax: number): void {
  const files = execFileSync('tar', ['-tzf', path], { encoding: 'utf8' }).trim().split('\n')
  const wrong = files.filter((file) => FORBIDDEN.some((pattern) => pattern.test(file)))
  if (wrong.length > 0) throw new Error(`${path} holds ${wrong.slice(0, 3).join(', ')} …`)
  const missing = REQUIRED.filter((file) => !files.includes(file))
  if (missing.length > 0) throw new Error(`${path} lacks ${missing.join(', ')}`)
  const { size } = statSync(path)
  if (size > bytesMax) throw new Error(`${path} has ${size} bytes, the bound is ${bytesMax}`)
  const name = path.slice(path.lastIndexOf('/') + 1)
  console.log(`${name.padEnd(36)} ${Math.ceil(size / 1000)} kB, ${files.length} files`)
}
