// Our own rules, kept by a machine: who may import whom, the one door to the outside, names, notes without a number.
// THINK about the layers of docs/architecture.md before you change a table here.
// Enters: the tracked source files. Leaves: a line per breach, exit code 1 if there was one.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { posix } from 'node:path'

// --- the tables --------------------------------------------------------------------------------

type Layer = {
  /** Its name on npm. */
  readonly name: string
  /** Folders of our packages that it may import. */
  readonly ours: readonly string[]
  /** Packages from npm that it may import. */
  readonly npm: readonly string[]
}

const LAYERS: Readonly<Record<string, Layer>> = {
  platform: {
    name: '@minikafka/platform',
    ours: [],
    npm: ['pino', 'pino-pretty', 'snappyjs', '@bokuweb/zstd-wasm', '@node-rs/crc32', 'lz4-napi'],
  },
  protocol: { name: '@minikafka/protocol', ours: ['platform'], npm: ['@msgpack/msgpack'] },
  coordinator: { name: '@minikafka/coordinator', ours: ['protocol'], npm: [] },
  cluster: { name: '@minikafka/cluster', ours: ['platform', 'protocol'], npm: [] },
  broker: {
    name: 'minikafka-broker',
    ours: ['platform', 'protocol', 'coordinator', 'cluster'],
    npm: ['commander', 'yaml', 'cli-progress', 're2js'],
  },
  client: { name: '@minikafka/client', ours: ['platform', 'protocol'], npm: [] },
  otel: { name: '@minikafka/otel', ours: ['client'], npm: ['@opentelemetry/api'] },
  cli: {
    name: 'minikafka',
    ours: ['client', 'protocol', 'platform'],
    npm: ['commander', 'yaml', 'picocolors', 'cli-table3', 'cli-progress'],
  },
  testing: {
    name: '@minikafka/testing',
    ours: ['platform', 'protocol', 'coordinator', 'cluster', 'broker', 'client'],
    npm: [],
  },
}

/** Native add-ons that the bundled programs load where they are installed; their code asks for them through `platform`. */
const NATIVE_OF_BUNDLES = ['@node-rs/crc32', 'lz4-napi']

/** Node modules that touch nothing outside; every package may use them. */
const PURE_MODULES = [
  'buffer',
  'events',
  'stream',
  'stream/promises',
  'util',
  'diagnostics_channel',
  'async_hooks',
  // Its histogram; its clock is banned below.
  'perf_hooks',
]

/** The only folder through which the outside is reached. */
const DOOR = 'packages/platform/src/node/'

/** Rooms of the broker and the rooms each may enter: data flows one way, nothing calls back upstairs. */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  config: [],
  log: [],
  partition: ['log', 'config'],
  hosts: ['partition', 'log', 'config'],
  metrics: ['hosts', 'partition', 'log', 'config'],
  program: ['metrics', 'log', 'config'],
  handlers: ['hosts', 'partition', 'log', 'config'],
}

/** What the one door is for. Outside of it these words mean a leak of real time, dice or the process. */
const BANNED: readonly (readonly [RegExp, string])[] = [
  [/\bDate\.now\(/, 'env.clock.wallMs()'],
  [/\bnew Date\(\)/, 'env.clock.wallMs()'],
  [/\bperformance\b(?=\.)/, 'env.clock.monotonicMs()'],
  [/\bMath\.random\(/, 'env.random'],
  [/(?<![.\w])(?:setTimeout|setInterval|setImmediate)\(/, 'env.clock.timer or env.clock.soon'],
  [/(?<![.\w])process\./, 'env.program'],
  [/\bAbortSignal\.timeout\(/, 'env.clock.timer'],
  [/\bglobalThis\b/, 'what Env gives'],
  [/\bnew (?:WeakRef|FinalizationRegistry)\b/, 'a life that is ended by hand'],
  // The handler of that name is a function of ours.
  [/(?<![.#\w]|function )fetch\(/, 'env.network'],
]

const NAMES_WITHOUT_NOUN = /(?:^|\/)(?:utils?|common|shared|helpers?|misc)(?:\/|\.ts$|-)/

// --- the check ---------------------------------------------------------------------------------

const breaches: string[] = []
const files = execFileSync(
  'git',
  ['ls-files', '-co', '--exclude-standard', 'packages', 'scripts'],
  {
    encoding: 'utf8',
  },
)
  .split('\n')
  .filter((file) => file.endsWith('.ts'))

for (const file of files) checkFile(file)
for (const [folder, layer] of Object.entries(LAYERS)) checkManifest(folder, layer)

for (const breach of breaches) console.error(breach)
console.log(`${files.length} files, ${breaches.length} breaches`)
process.exit(breaches.length === 0 ? 0 : 1)

function checkFile(file: string): void {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    return // Listed by git, removed on disk.
  }
  if (NAMES_WITHOUT_NOUN.test(file)) breach(file, 1, 'a file or folder is named by its noun')
  eachLine(text, (line, number) => {
    const note = /\b(?:TODO|FIXME|XXX)\b/.exec(line)
    if (note && !/#\d+/.test(line) && file !== 'scripts/tidy.ts')
      breach(file, number, `${note[0]} without an issue number`)
  })
  if (!isSource(file)) return
  for (const { specifier, number } of importsOf(text)) checkImport(file, specifier, number)
  if (!file.startsWith(DOOR)) checkDoor(file, text)
}

/** Tests, compliance suites and the folders beside `src/` are free of the import tables. */
function isSource(file: string): boolean {
  return (
    /^packages\/[^/]+\/src\//.test(file) &&
    !file.endsWith('.test.ts') &&
    !file.includes('/src/compliance/')
  )
}

function checkImport(file: string, specifier: string, number: number): undefined {
  const folder = file.split('/')[1] ?? ''
  const layer = LAYERS[folder]
  if (layer === undefined) return breach(file, number, `package ${folder} stands in no layer`)
  if (specifier.startsWith('.')) return checkRoom(file, specifier, number)
  if (specifier.startsWith('node:')) {
    const name = specifier.slice('node:'.length)
    if (!PURE_MODULES.includes(name) && !file.startsWith(DOOR))
      breach(file, number, `${specifier} is reached through env`)
    return
  }
  const name = packageOf(specifier)
  const sister = Object.entries(LAYERS).find(([, other]) => other.name === name)
  if (sister !== undefined) {
    if (!layer.ours.includes(sister[0]))
      breach(file, number, `${folder} may not import ${sister[0]}`)
    if (specifier !== name)
      breach(file, number, `${specifier}: sisters import nothing but the front door`)
  } else if (!layer.npm.includes(name)) breach(file, number, `${folder} may not import ${name}`)
}

/** Inside the broker, rooms import downwards only, by their door. */
function checkRoom(file: string, specifier: string, number: number): undefined {
  const room = (path: string) => /^packages\/broker\/src\/([^/]+)\//.exec(path)?.[1]
  const target = posix.join(posix.dirname(file), specifier)
  const from = room(file)
  const to = room(target)
  if (from === undefined || to === undefined || from === to) return
  const allowed = ROOMS[from]
  if (allowed === undefined) return breach(file, number, `broker/${from} is not a room`)
  if (!allowed.includes(to)) breach(file, number, `broker/${from} may not import broker/${to}`)
  if (!target.endsWith(`/${to}/index.ts`))
    breach(file, number, `${specifier}: a room is entered by its door, index.ts`)
}

function checkDoor(file: string, text: string): void {
  eachLine(withoutComments(text), (line, number) => {
    for (const [pattern, instead] of BANNED) {
      const found = pattern.exec(line)
      if (found) breach(file, number, `${found[0]} is reached through ${instead}`)
    }
  })
}

/** What a package declares must be what the tables grant, and its references mirror its layer. */
function checkManifest(folder: string, layer: Layer): void {
  const path = `packages/${folder}/package.json`
  const manifest = JSON.parse(readFileSync(path, 'utf8')) as Record<string, Record<string, string>>
  const natives = manifest.bin === undefined ? [] : NATIVE_OF_BUNDLES
  const declared = Object.keys({
    ...manifest.dependencies,
    ...manifest.optionalDependencies,
  }).filter((name) => !natives.includes(name))
  for (const name of declared) {
    const sister = Object.entries(LAYERS).find(([, other]) => other.name === name)?.[0]
    const granted = sister === undefined ? layer.npm.includes(name) : layer.ours.includes(sister)
    if (!granted) breach(path, 1, `${name} is granted by no table`)
  }
  const { references } = JSON.parse(readFileSync(`packages/${folder}/tsconfig.json`, 'utf8')) as {
    references: { path: string }[]
  }
  for (const { path: reference } of references) {
    const sister = reference.replace('../', '')
    if (!layer.ours.includes(sister))
      breach(path, 1, `tsconfig references ${sister}, which its layer may not import`)
  }
}

// --- text --------------------------------------------------------------------------------------

function importsOf(text: string): { specifier: string; number: number }[] {
  const pattern =
    /(?:^|\n)\s*(?:import|export)\s[^'"`;]*?from\s+['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]|(?:^|\n)\s*import\s+['"]([^'"]+)['"]/g
  return [...text.matchAll(pattern)].map((match) => ({
    specifier: match[1] ?? match[2] ?? match[3] ?? '',
    number: text.slice(0, match.index + match[0].length).split('\n').length,
  }))
}

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

/** Comments and texts become blanks of the same shape, so that line numbers stay. */
function withoutComments(text: string): string {
  const blank = (match: string) => match.replaceAll(/[^\n]/g, ' ')
  return text.replaceAll(
    /\/\*[\s\S]*?\*\/|(?<!:)\/\/[^\n]*|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/g,
    blank,
  )
}

function eachLine(text: string, visit: (line: string, number: number) => void): void {
  let number = 1
  for (const line of text.split('\n')) visit(line, number++)
}

function breach(file: string, number: number, what: string): undefined {
  breaches.push(`${file}:${number}: ${what}`)
}
