// The Env of a real process (interim).
import { closeSync, constants, createReadStream } from 'node:fs'
import * as fs from 'node:fs'
import * as net from 'node:net'
import * as os from 'node:os'
import * as path from 'node:path'
import { randomBytes, randomUUID } from 'node:crypto'
import { pino } from 'pino'
import type { Env, Disk, File, Network, Socket, Receiver, Logger } from '../env.ts'
import { DiskError, NetworkError } from '../env.ts'
import { nodeCompress } from './compress.ts'
void closeSync; void createReadStream

export async function createLogger(o: { level: string; format: 'json' | 'pretty'; destination: 'stdout' | 'stderr' }): Promise<Logger> {
  return pino({ level: o.level }, pino.destination(o.destination === 'stdout' ? 1 : 2))
}
const wrap = (p: string | undefined) => (e: any) => { throw new DiskError(e.code ?? 'EIO', e.message, p, { cause: e }) }
function file(fd: number, p: string): File {
  return {
    append(buffers, position) {
      try {
        let list = buffers.filter((b) => b.length > 0)
        while (list.length) {
          let n = fs.writevSync(fd, list as any, position)
          position += n
          while (n > 0) { const f = list[0]!; if (n >= f.length) { n -= f.length; list = list.slice(1) } else { list = [f.subarray(n), ...list.slice(1)]; n = 0 } }
        }
      } catch (e) { wrap(p)(e) }
      return undefined
    },
    sync: () => new Promise((res, rej) => fs.fdatasync(fd, (e) => e ? rej(new DiskError(e.code ?? 'EIO', e.message, p)) : res())),
    read: (into, position) => new Promise((res, rej) => {
      let done = 0
      const go = () => fs.read(fd, into, done, into.length - done, position + done, (e, n) => { if (e) return rej(new DiskError(e.code ?? 'EIO', e.message, p)); done += n; if (n === 0 || done === into.length) res(done); else go() })
      go()
    }),
    truncate: (size) => fs.promises.truncate(p, size).catch(wrap(p)) as Promise<void>,
    size: async () => fs.fstatSync(fd).size,
    close: async () => fs.closeSync(fd),
  }
}
const nodeDisk: Disk = {
  async open(p, mode) {
    const flags = mode === 'create' ? constants.O_CREAT | constants.O_EXCL | constants.O_RDWR : mode === 'write' ? constants.O_RDWR : constants.O_RDONLY
    try { return file(fs.openSync(p, flags | constants.O_NOFOLLOW, 0o600), p) } catch (e) { return wrap(p)(e) as never }
  },
  readFile: (p) => fs.promises.readFile(p).catch((e) => e.code === 'ENOENT' ? undefined : wrap(p)(e) as never),
  async replaceFile(p, c) { try { const t = p + '.tmp'; const fd = fs.openSync(t, 'w', 0o600); fs.writeSync(fd, c); fs.fsyncSync(fd); fs.closeSync(fd); fs.renameSync(t, p); await this.syncDirectory(path.dirname(p)) } catch (e) { wrap(p)(e) } },
  rename: (a, b) => fs.promises.rename(a, b).catch(wrap(a)) as Promise<void>,
  removeFile: (p) => fs.promises.rm(p, { force: true }).catch(wrap(p)) as Promise<void>,
  removeDirectory: (p) => fs.promises.rm(p, { force: true, recursive: true }).catch(wrap(p)) as Promise<void>,
  makeDirectory: async (p) => { await fs.promises.mkdir(p, { recursive: true, mode: 0o700 }).catch(wrap(p)) },
  list: (p) => fs.promises.readdir(p).then((l) => l.sort()).catch(wrap(p)) as Promise<string[]>,
  stat: (p) => fs.promises.lstat(p).then((s) => ({ kind: s.isFile() ? 'file' as const : s.isDirectory() ? 'directory' as const : 'other' as const, size: s.size, modifiedMs: Math.floor(s.mtimeMs) })).catch((e) => e.code === 'ENOENT' ? undefined : wrap(p)(e) as never),
  async syncDirectory(p) { const fd = fs.openSync(p, 'r'); try { fs.fsyncSync(fd) } finally { fs.closeSync(fd) } },
  freeBytes: async (p) => { const s = fs.statfsSync(p); return s.bavail * s.bsize },
  totalBytes: async (p) => { const s = fs.statfsSync(p); return s.blocks * s.bsize },
  lock: async () => ({ lock: { release: async () => {} } }),
}
function socketOf(s: net.Socket, pre?: { r: Receiver | undefined }): Socket {
  s.setNoDelay(true)
  return {
    local: { host: s.localAddress ?? '', port: s.localPort ?? 0 }, remote: { host: s.remoteAddress ?? '', port: s.remotePort ?? 0 },
    receive(r) {
      if (pre) pre.r = r
      s.on('data', (chunk: Buffer) => { let at = 0; while (at < chunk.length) { const t = r.target(); const n = Math.min(t.length, chunk.length - at); t.set(chunk.subarray(at, at + n)); at += n; r.received(n) } })
      s.on('end', () => r.ended()); let err: Error | undefined; s.on('error', (e) => { err = e }); s.on('close', () => r.closed(err))
      s.resume()
    },
    send(buffers, done) { s.cork(); buffers.forEach((b, i) => s.write(b, i === buffers.length - 1 ? (e) => done?.(e ?? undefined) : undefined)); s.uncork() },
    queuedBytes: () => s.writableLength, pause: () => s.pause(), resume: () => s.resume(), end: () => { s.end() }, destroy: () => { s.destroy() },
  }
}
const nodeNetwork: Network = {
  listen: (o, accept) => new Promise((res, rej) => {
    const server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true }, (s) => { s.on('error', () => {}); accept(socketOf(s)) })
    server.once('error', (e: any) => rej(new NetworkError(e.code, e.message)))
    server.listen(o.port, o.host, () => { const a = server.address() as net.AddressInfo; res({ address: { host: a.address, port: a.port }, close: () => new Promise((r) => server.close(() => r())) }) })
  }),
  connect: (o) => new Promise((res, rej) => {
    const s = net.connect({ host: o.host, port: o.port, allowHalfOpen: true }); s.pause()
    const t = setTimeout(() => { s.destroy(); rej(new NetworkError('ETIMEDOUT', 'connect timed out')) }, o.timeoutMs)
    s.once('error', (e: any) => { clearTimeout(t); rej(new NetworkError(e.code, e.message)) })
    s.once('connect', () => { clearTimeout(t); s.on('error', () => {}); res(socketOf(s)) })
  }),
}
export function nodeEnv(): Env {
  return {
    clock: { wallMs: () => Date.now(), monotonicMs: () => performance.now(), timer: (d, cb) => { const t = setTimeout(cb, Math.min(d, 2 ** 31 - 1)); return { cancel: () => clearTimeout(t) } }, soon: (cb) => { setImmediate(cb) } },
    random: { next: () => Math.random(), below: (n) => Math.floor(Math.random() * n), bytes: (n) => randomBytes(n), uuid: () => randomUUID(), buggify: () => false },
    disk: nodeDisk, network: nodeNetwork, compress: nodeCompress(),
    program: {
      arguments: process.argv.slice(2), variables: process.env, pid: process.pid, platform: process.platform, nodeVersion: process.versions.node, home: os.homedir(), temporaryDirectory: os.tmpdir(), workingDirectory: process.cwd(),
      stdin: { isTTY: process.stdin.isTTY === true, chunks: () => process.stdin as any },
      stdout: { isTTY: process.stdout.isTTY === true, columns: process.stdout.columns ?? 80, write: (t) => new Promise((r, j) => process.stdout.write(t as any, (e) => e ? j(e) : r())), stream: process.stdout },
      stderr: { isTTY: process.stderr.isTTY === true, columns: process.stderr.columns ?? 80, write: (t) => new Promise((r, j) => process.stderr.write(t as any, (e) => e ? j(e) : r())), stream: process.stderr },
      uptimeMs: () => process.uptime() * 1000, memory: () => { const m = process.memoryUsage(); return { rssBytes: m.rss, heapUsedBytes: m.heapUsed, externalBytes: m.external } },
      onSignal: (s, l) => { process.on(s, l); return () => process.off(s, l) }, onFatal: (l) => { process.on('uncaughtException', l); return () => process.off('uncaughtException', l) }, exit: (c) => process.exit(c),
    },
    logger: pino({ level: 'warn' }, pino.destination(2)),
  }
}
