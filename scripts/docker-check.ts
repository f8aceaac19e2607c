// `npm run docker-check`: the image and docker/compose.single.yaml, built and used: from this machine and from another
// container, over a stop in order, a kill and a new container. Needs Docker with compose; no part of `npm test`.
import { execFileSync, spawnSync } from 'node:child_process'
import { undoAtExit } from './at-exit.ts'

/** A plugin of the client, or the program that it was before. */
const COMPOSE = isThere('docker', ['compose', 'version'])
  ? ['docker', 'compose']
  : ['docker-compose']
const PROJECT = ['-p', 'minikafka-check', '-f', 'docker/compose.single.yaml']
const OUTSIDE = '127.0.0.1:9094'
/** Docker looks each 5 s. */
const HEALTHY_TRIES = 60

docker('build', '--network', 'host', '-f', 'docker/Dockerfile', '-t', 'minikafka', '.')
const [bytes = '', user = ''] = docker(
  'image',
  'inspect',
  '-f',
  '{{.Size}} {{.Config.User}}',
  'minikafka',
)
  .trim()
  .split(' ')
const base = Number(docker('image', 'inspect', '-f', '{{.Size}}', 'node:22-bookworm-slim'))
say(`image: ${megabytes(Number(bytes))}, of which its base ${megabytes(base)}; runs as ${user}`)
const modules = docker('run', '--rm', 'minikafka', 'ls', '/opt/minikafka/node_modules')
if (/^(typescript|vitest|esbuild)$/m.test(modules)) throw new Error(`for development:\n${modules}`)

compose('down', '-v')
const done = undoAtExit(() => compose('down', '-v', '-t', '10'))
compose('up', '-d', 'broker')
await healthy()
expect(compose('exec', '-T', 'broker', 'id', '-u'), '1000\n')
say('healthy, and not as root')
minikafka('topic', 'create', 'hello', '-p', '1')
minikafka('produce', 'hello', 'from outside')
inside('produce', 'hello', 'from inside')
expect(minikafka('consume', 'hello', '-e'), 'from outside\nfrom inside\n')
expect(inside('consume', 'hello', '-e'), 'from outside\nfrom inside\n')
say('reached from this machine and from another container')

compose('restart', '-t', '30', 'broker')
await healthy()
expect(minikafka('consume', 'hello', '-e'), 'from outside\nfrom inside\n')
const words = compose('logs', '--no-color', 'broker')
if (!words.includes('stopped cleanly')) throw new Error(`no clean stop:\n${words}`)
say('SIGTERM stops it in order')

minikafka('produce', 'hello', 'before the kill')
compose('kill', '-s', 'SIGKILL', 'broker')
compose('rm', '-f', 'broker')
compose('up', '-d', 'broker')
await healthy()
expect(minikafka('consume', 'hello', '-e'), 'from outside\nfrom inside\nbefore the kill\n')
say('a new container finds what the killed one had acknowledged')
done()
say('docker: all is well')

async function healthy(): Promise<void> {
  const id = compose('ps', '-q', 'broker').trim()
  let status = ''
  for (let tries = 0; tries < HEALTHY_TRIES && status !== 'healthy'; tries++) {
    status = docker('inspect', '-f', '{{.State.Health.Status}}', id).trim()
    if (status !== 'healthy') await new Promise((resolve) => setTimeout(resolve, 1_000))
  }
  if (status !== 'healthy') throw new Error(`${status}:\n${compose('logs', 'broker')}`)
}

function minikafka(...args: string[]): string {
  return run(process.execPath, ['packages/cli/dist/bin.cjs', ...args, '-q', '-b', OUTSIDE])
}

function inside(...args: string[]): string {
  return compose('run', '--rm', '-T', 'client', 'minikafka', ...args, '-q')
}

function compose(...args: string[]): string {
  const [program = '', ...command] = COMPOSE
  return run(program, [...command, ...PROJECT, ...args])
}

function docker(...args: string[]): string {
  return run('docker', args)
}

function isThere(program: string, args: readonly string[]): boolean {
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0
}

function run(program: string, args: readonly string[]): string {
  return execFileSync(program, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 64 * 2 ** 20,
  })
}

function expect(found: string, wanted: string): void {
  if (found !== wanted)
    throw new Error(`expected ${JSON.stringify(wanted)}, found ${JSON.stringify(found)}`)
}

function megabytes(count: number): string {
  return `${Math.round(count / 1e6)} MB`
}

function say(words: string): void {
  console.log(words)
}
