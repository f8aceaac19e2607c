import { test } from 'vitest'
import { encodeRequest } from '../src/codec/index.ts'
import { Account, startServer, until } from './harness.ts'
test('x', async () => {
    const memory = new Account(300_000)
    const server = await startServer({ memory, limits: { frameMs: 100_000, idleMs: 200, slowReaderMs: 200 } })
    const appends = [{ topicId: '0b9c1a8e-5d5b-4a52-9a3e-1f2e3d4c5b6a', partition: 0, batch: Buffer.alloc(200_000) }]
    const frame = Buffer.concat(encodeRequest('produce', 0, 1, { acks: -1, timeoutMs: 1000, appends }))
    const peers = await Promise.all(Array.from({ length: 10 }, () => server.greeted()))
    const t = setInterval(() => {
      console.log(memory.bytes, memory.full, server.service.calls.length, server.service.refusals, (server.server as any).debug().join('\n'))
    }, 700)
    for (const peer of peers) peer.send(frame.subarray(0, 40_000))
    await Promise.race([until(() => memory.full), new Promise(r=>setTimeout(r,2000))])
    console.log('full', memory.full)
    for (const peer of peers) peer.send(frame.subarray(40_000))
    await Promise.race([Promise.all(peers.map((peer) => peer.answeredIds(1))), new Promise(r=>setTimeout(r,3000))])
    clearInterval(t)
})
