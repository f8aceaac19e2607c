// What `npm start`, `npm test` and the other scripts run: installs and builds what is missing, then does the job.
// Plain JavaScript on purpose: it must work in a fresh clone, before anything is installed.
// `node scripts/run.mjs JOB [arguments]`
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { isatty } from 'node:tty'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const [job = '', ...rest] = process.argv.slice(2)
const bins = {
  'minikafka-broker': 'packages/broker/dist/bin.cjs',
  minikafka: 'packages/cli/dist/bin.cjs',
}

const jobs = {
  start: [install, build, serve],
  test: [install, script('check.ts')],
  build: [install, build],
  demo: [install, build, script('demo.ts')],
  bench: [install, build, script('bench.ts')],
  chaos: [install, build, script('chaos.ts')],
  docs: [install, script('docs.ts')],
  soak: [install, build, script('soak.ts')],
  sim: [install, script('sim.ts')],
  planted: [install, script('planted.ts')],
  fuzz: [install, script('fuzz.ts')],
  pack: [install, build, script('pack.ts')],
  'docker-check': [install, build, script('docker-check.ts')],
  'pack-check': [install, build, script('pack-check.ts')],
}
const steps = jobs[job]
if (steps === undefined) {
  console.error(
    `unknown job ${JSON.stringify(job)}: expected one of ${Object.keys(jobs).join(', ')}`,
  )
  process.exit(2)
}
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`Node.js 20.19 or newer is needed, this is ${process.versions.node}`)
  process.exit(1)
}
for (const step of steps) step()

/** Installs from the lock file unless what is installed is as new as it. */
function install() {
  const mark = join(root, 'node_modules', '.modules.yaml')
  const lock = join(root, 'pnpm-lock.yaml')
  const fresh = existsSync(mark) && statSync(mark).mtimeMs >= statSync(lock).mtimeMs
  if (fresh && Object.keys(bins).every((name) => existsSync(join(root, 'node_modules/.bin', name))))
    return
  // pnpm links a bin only where its file exists, and these are built later.
  for (const path of Object.values(bins)) {
    const file = join(root, path)
    if (existsSync(file)) continue
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(
      file,
      '#!/usr/bin/env node\nconsole.error("not built yet: npm run build")\nprocess.exit(1)\n',
      {
        mode: 0o755,
      },
    )
  }
  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  console.error('installing …')
  run('npx', [
    '--yes',
    packageManager,
    'install',
    '--frozen-lockfile',
    '--ignore-scripts',
    '--reporter=silent',
  ])
}

/** Type check and compile all packages, then bundle the two programs to one file each. */
function build() {
  console.error('building …')
  run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-b'])
  run(process.execPath, [
    '--import',
    'tsx',
    '--conditions=@minikafka/source',
    join(root, 'scripts/bundle.ts'),
  ])
}

function serve() {
  const own = rest.some((flag) => flag.startsWith('--data-dir')) ? [] : ['--data-dir', 'data']
  replace(process.execPath, [join(root, bins['minikafka-broker']), ...own, ...rest])
}

/** A step that runs one of the TypeScript scripts from source. */
function script(name) {
  const file = join(root, 'scripts', name)
  return () =>
    replace(process.execPath, ['--import', 'tsx', '--conditions=@minikafka/source', file, ...rest])
}

function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' })
  if (error) console.error(`${command}: ${error.message}`)
  if (status !== 0) process.exit(status ?? 1)
}

/** Runs the program in place of this one: its signals, its exit code. */
function replace(command, args) {
  const child = spawn(command, args, { cwd: root, stdio: 'inherit' })
  // At a terminal Ctrl-C reaches the child by itself, and the broker takes a second one as "at once".
  const atTerminal = [0, 1, 2].some((descriptor) => isatty(descriptor))
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'])
    process.on(signal, () => (signal === 'SIGINT' && atTerminal) || child.kill(signal))
  child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]))
}
