// The built broker in a process of its own: started, measured, stopped; its data go with it.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Child } from './child.ts'
import { temporaryFolder } from './temporary-folder.ts'

const PROGRAM = join(import.meta.dirname, '..', 'packages/broker/dist/bin.cjs')
const PROBE = join(import.meta.dirname, 'bench/probe.cjs')

export type BrokerChild = AsyncDisposable & {
  readonly port: number
  /** Of /metrics, /healthz and /readyz. */
  readonly httpPort: number
  /** Its exit code, or the signal that ended it. */
  readonly exited: Promise<number | string>
  signal(name: NodeJS.Signals): void
  /** From the start of the process until it said that it is ready. */
  readonly readyMs: number
  rssMiB(): number
  /** Highest resident size since the start, or since it was forgotten. */
  rssPeakMiB(): number
  forgetRssPeak(): void
  fileHandles(): number
  /** Of all threads that it has, since its start. */
  cpuMs(): number
}

export type BrokerPlace = {
  /** A directory to use and to keep. Default: a new one, gone with the broker. */
  readonly data?: string
  /** Default: any that is free. */
  readonly port?: number
  /** The file in which it writes of itself, see bench/probe.cjs. */
  readonly probe?: string
  /** Beside those of this process. */
  readonly variables?: Readonly<Record<string, string>>
  /** By their names in docs/config.md. */
  readonly settings?: Readonly<Record<string, string>>
}

/** Ready when resolved. A new directory is made below `folder`. */
export async function startBroker(folder: string, place: BrokerPlace = {}): Promise<BrokerChild> {
  const { data } = place
  const own = data === undefined ? temporaryFolder(folder, 'minikafka-broker-') : undefined
  const began = performance.now()
  const child = launchBroker({ ...place, data: data ?? own?.path ?? '' })
  const stop = async () => {
    await child[Symbol.asyncDispose]()
    own?.[Symbol.dispose]()
  }
  try {
    const { port, httpPort } = await child.find(readyPorts)
    const readyMs = performance.now() - began
    return running(child, { port, httpPort, readyMs, [Symbol.asyncDispose]: stop })
  } catch (error) {
    await stop()
    throw error
  }
}

/** Whether it gets ready or not. */
export function launchBroker({
  data = '',
  port = 0,
  probe,
  variables,
  settings = {},
}: BrokerPlace): Child {
  const place = ['--data-dir', data, '--port', String(port), '--http-port', '0']
  const flags = Object.entries(settings).map(
    ([name, value]) => `--${name.replaceAll('.', '-')}=${value}`,
  )
  const log = ['--log-format', 'json', '--log-level', 'info']
  const probing = probe === undefined ? [] : ['--require', PROBE]
  return new Child([...probing, PROGRAM, ...place, ...flags, ...log], {
    MINIKAFKA_PROBE: probe ?? '',
    ...variables,
  })
}

function running(
  child: Child,
  started: Pick<BrokerChild, 'port' | 'httpPort' | 'readyMs' | typeof Symbol.asyncDispose>,
): BrokerChild {
  const { pid, exited } = child
  return {
    ...started,
    exited,
    signal: (name) => child.signal(name),
    rssMiB: () => mebibytesOf(pid, 'VmRSS'),
    rssPeakMiB: () => mebibytesOf(pid, 'VmHWM'),
    forgetRssPeak: () => writeFileSync(`/proc/${pid}/clear_refs`, '5'),
    fileHandles: () => readdirSync(`/proc/${pid}/fd`).length,
    cpuMs: () => cpuMsOf(pid),
  }
}

/** The broker's JSON log says `ready` with its true port; whatever is no JSON is not from the log. */
type ReadyLine = { msg?: string; port: number; httpPort: number }

function readyPorts(line: string): { port: number; httpPort: number } | undefined {
  try {
    const entry = JSON.parse(line) as ReadyLine | null
    return entry?.msg === 'ready' ? entry : undefined
  } catch {
    return undefined
  }
}

function mebibytesOf(pid: number, key: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? Number.NaN) / 1024
}

/** Nanoseconds on a processor come first in `schedstat`; `stat` has ticks of 10 ms only. */
function cpuMsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/task`)
    .map((thread) => readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8'))
    .reduce((sum, text) => sum + Number(text.split(' ', 1)[0]) / 1e6, 0)
}
