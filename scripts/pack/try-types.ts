// The types, as a stranger's compiler sees them. Enters: the stranger's folder. Leaves: a line, or what the compiler says.
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

const USING = `
import { Client, json, text, topic, type Consumer } from '@minikafka/client'
import { TestBroker } from '@minikafka/testing'

type Order = { readonly cents: number }
const orders = topic('orders', { key: text(), value: json<Order>() })
export async function total(): Promise<number> {
  const broker = await TestBroker.start({ topics: { orders: 1 } })
  const client: Client = broker.client()
  await client.producer().send(orders, { key: 'c', value: { cents: 3 } })
  const consumer = client.consumer({ topics: [orders], start: 'earliest' })
  for await (const { value } of consumer) return value.cents
  return 0
}
export type Orders = Consumer<typeof orders>
`
/** How modules are found: as Node does, and as bundlers do. */
const WAYS = [
  { module: 'node16', moduleResolution: 'node16' },
  { module: 'esnext', moduleResolution: 'bundler' },
] as const

export function tryTypes(folder: string): void {
  writeFileSync(join(folder, 'using.ts'), USING)
  for (const way of WAYS) {
    const config = join(folder, `tsconfig.${way.moduleResolution}.json`)
    const compilerOptions = {
      ...way,
      target: 'es2023',
      lib: ['es2023', 'esnext.disposable'],
      strict: true,
      noEmit: true,
      skipLibCheck: false,
      typeRoots: [resolve('node_modules/@types')],
      types: ['node'],
    }
    writeFileSync(config, JSON.stringify({ compilerOptions, files: ['using.ts'] }))
    execFileSync(process.execPath, [resolve('node_modules/typescript/bin/tsc'), '-p', config], {
      stdio: 'inherit',
    })
    console.log(`types resolve under ${way.moduleResolution}`)
  }
}
