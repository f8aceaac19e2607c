// What every implementation of the `httpServer` port must do.
import { describe, expect, test } from 'vitest'
import type { Address, HttpServer, Page } from '../env.ts'
import { inWorld, type MakeWorld, type PortWorld } from './port-world.ts'

export type HttpServerWorld = PortWorld<HttpServer> & {
  /** One request from outside. */
  ask(at: Address, method: string, path: string): Promise<Page>
}

const ANY = { host: '127.0.0.1', port: 0 }
const HELLO: Page = { status: 200, type: 'text/plain; charset=utf-8', body: 'hello\n' }

export function httpServerCompliance(name: string, makeWorld: MakeWorld<HttpServerWorld>): void {
  const within = (use: (world: HttpServerWorld) => Promise<void>) =>
    inWorld(makeWorld as MakeWorld<HttpServerWorld & PortWorld<unknown>>, use as never)

  describe(`httpServer: ${name}`, () => {
    test('a GET is answered with the page of its path, without the query', () =>
      within(async ({ port, ask, run }) => {
        const paths: string[] = []
        const listener = await run(
          port.listen(ANY, (path) => {
            paths.push(path)
            return HELLO
          }),
        )
        expect(listener.address.port).toBeGreaterThan(0)
        expect(await run(ask(listener.address, 'GET', '/a/b?c=d'))).toEqual(HELLO)
        expect(paths).toEqual(['/a/b'])
        await run(listener.close())
      }))

    test('a HEAD has no body, and other methods are answered with 405 and change nothing', () =>
      within(async ({ port, ask, run }) => {
        let count = 0
        const listener = await run(
          port.listen(ANY, async () => {
            count++
            return HELLO
          }),
        )
        expect(await run(ask(listener.address, 'HEAD', '/'))).toEqual({ ...HELLO, body: '' })
        for (const method of ['POST', 'PUT', 'DELETE'])
          expect((await run(ask(listener.address, method, '/'))).status).toBe(405)
        expect(count).toBe(1)
        await run(listener.close())
      }))

    test('a page that fails is a 500 which says nothing of the reason', () =>
      within(async ({ port, ask, run }) => {
        const listener = await run(
          port.listen(ANY, () => {
            throw new Error('a secret')
          }),
        )
        const page = await run(ask(listener.address, 'GET', '/'))
        expect(page.status).toBe(500)
        expect(page.body).not.toContain('secret')
        await run(listener.close())
      }))

    test('a taken port is EADDRINUSE, and free again after the close', () =>
      within(async ({ port, ask, run }) => {
        const first = await run(port.listen(ANY, () => HELLO))
        const again = () => run(port.listen(first.address, () => HELLO))
        await expect(again()).rejects.toMatchObject({ code: 'EADDRINUSE' })
        await run(first.close())
        const second = await again()
        expect((await run(ask(second.address, 'GET', '/'))).status).toBe(200)
        await run(second.close())
        await expect(run(ask(second.address, 'GET', '/'))).rejects.toThrow()
      }))
  })
}
