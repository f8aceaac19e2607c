import { expect, test } from 'vitest'
import { type BannerFacts, bannerOf } from './banner.ts'

const facts: BannerFacts = {
  ...{ version: '0.1.0', nodeId: 1, clusterId: 'D8XEURuonPMiIbtFz1XB8A', pid: 4129 },
  ...{ listens: ['127.0.0.1:9092'], advertised: '', httpPort: 9464, isLoopbackOnly: true },
  ...{ dataDir: './data', partitions: 12, directory: 'clean' as const, flush: 'group' },
  ...{ freeBytes: 212 * 1024 ** 3, readyMs: 168, next: 'topic create hello' },
}

test('with room it is four lines', () => {
  expect(bannerOf(facts, 120)).toBe(
    `minikafka-broker 0.1.0   node 1   cluster D8XEURuonPMiIbtFz1XB8A (single)   pid 4129
  listen 127.0.0.1:9092 (advertised as dialled, http 9464)   auth: none, loopback only
  data   ./data   12 partitions, clean   flush: group   free 212 GiB
ready in 168 ms - try: npx minikafka topic create hello
`,
  )
})

test('in 80 columns what has no room goes to a line of its own', () => {
  expect(bannerOf({ ...facts, partitions: 1, httpPort: undefined }, 80)).toBe(
    `minikafka-broker 0.1.0   node 1   cluster D8XEURuonPMiIbtFz1XB8A (single)
         pid 4129
  listen 127.0.0.1:9092 (advertised as dialled)   auth: none, loopback only
  data   ./data   1 partition, clean   flush: group   free 212 GiB
ready in 168 ms - try: npx minikafka topic create hello
`,
  )
})
