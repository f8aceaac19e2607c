// The built broker in a process of its own: started, measured, stopped; its data go with it.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Child } from './child.ts'
import { temporaryFolder } from './temporary-folder.ts'

const PROGRAM = join(import.meta.dirname, '..', 'packages/broker/dist/bin.cjs')
const PROBE = join(import.meta.dirname, 'bench/probe.cjs')

export type BrokerChild = AsyncDisposable & {
  readonly port: number
  /** From the start of the process until it said that it is ready. */
  readonly readyMs: number
  rssMiB(): number
  /** Highest resident size since the start, or since it was forgotten. */
  rssPeakMiB(): number
  forgetRssPeak(): void
  fileHandles(): number
}

/**
 * Ready when resolved. A new directory below `folder`, unless `data` is to be used and kept. `probe`: the file in
 * which it writes of itself, see bench/probe.cjs.
 */
export async function startBroker(
  folder: string,
  data?: string,
  probe?: string,
): Promise<BrokerChild> {
  const own = data === undefined ? temporaryFolder(folder, 'minikafka-broker-') : undefined
  const began = performance.now()
  const flags = ['--data-dir', data ?? own?.path ?? '', '--port', '0', '--log-format', 'json']
  const probing = probe === undefined ? [] : ['--require', PROBE]
  const child = new Child([...probing, PROGRAM, ...flags, '--log-level', 'info'], {
    MINIKAFKA_PROBE: probe ?? '',
  })
  const stop = async () => {
    await child[Symbol.asyncDispose]()
    own?.[Symbol.dispose]()
  }
  try {
    const port = await child.find(readyPort)
    return running(child, { port, readyMs: performance.now() - began, [Symbol.asyncDispose]: stop })
  } catch (error) {
    await stop()
    throw error
  }
}

function running(
  { pid }: Child,
  started: Pick<BrokerChild, 'port' | 'readyMs' | typeof Symbol.asyncDispose>,
): BrokerChild {
  return {
    ...started,
    rssMiB: () => mebibytesOf(pid, 'VmRSS'),
    rssPeakMiB: () => mebibytesOf(pid, 'VmHWM'),
    forgetRssPeak: () => writeFileSync(`/proc/${pid}/clear_refs`, '5'),
    fileHandles: () => readdirSync(`/proc/${pid}/fd`).length,
  }
}

/** The broker's JSON log says `ready` with its true port; whatever is no JSON is not from the log. */
function readyPort(line: string): number | undefined {
  try {
    const entry = JSON.parse(line) as { msg?: string; port?: number } | null
    return entry?.msg === 'ready' ? entry.port : undefined
  } catch {
    return undefined
  }
}

function mebibytesOf(pid: number, key: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? Number.NaN) / 1024
}
