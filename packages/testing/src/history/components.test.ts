import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Graph } from './components.ts'

type Edge = readonly [from: number, to: number]

function componentsOf(nodeCount: number, edges: readonly Edge[]): number[][] {
  const graph = new Graph(nodeCount)
  for (const [from, to] of edges) graph.edge(from, to)
  const components = graph.components().map((component) => component.sort((a, b) => a - b))
  return components.sort((a, b) => (a[0] ?? 0) - (b[0] ?? 0))
}

test('two circles that share no node are two components; what only leads there is in none', () => {
  const edges: Edge[] = [
    [0, 1],
    [1, 2],
    [2, 1],
    [2, 3],
    [3, 4],
    [4, 5],
    [5, 3],
  ]
  expect(componentsOf(6, edges)).toEqual([
    [1, 2],
    [3, 4, 5],
  ])
})

test('a path of a hundred thousand nodes needs no stack', () => {
  const count = 100_000
  const graph = new Graph(count)
  for (let node = 1; node < count; node++) graph.edge(node - 1, node)
  expect(graph.components()).toEqual([])
  graph.edge(count - 1, 0)
  expect(graph.components()[0]).toHaveLength(count)
})

test('two nodes are in one component exactly when each reaches the other', () => {
  const graphs = fc.integer({ min: 1, max: 8 }).chain((nodeCount) => {
    const node = fc.integer({ min: 0, max: nodeCount - 1 })
    return fc.tuple(fc.constant(nodeCount), fc.array(fc.tuple(node, node), { maxLength: 20 }))
  })
  fc.assert(
    fc.property(graphs, ([nodeCount, edges]) => {
      const reaches = closureOf(nodeCount, edges)
      const nodes = Array.from({ length: nodeCount }, (_, node) => node)
      const together = (a: number, b: number) => reaches[a]?.[b] && reaches[b]?.[a]
      const expected = nodes
        .map((node) => nodes.filter((other) => other === node || together(node, other)))
        .filter((component, node) => component.length > 1 && component[0] === node)
      expect(componentsOf(nodeCount, edges)).toEqual(expected)
    }),
  )
})

/** Warshall's. */
function closureOf(nodeCount: number, edges: readonly Edge[]): boolean[][] {
  const reaches = Array.from({ length: nodeCount }, () => new Array<boolean>(nodeCount).fill(false))
  const set = (a: number, b: number) => {
    const row = reaches[a]
    if (row !== undefined) row[b] = true
  }
  for (const [from, to] of edges) set(from, to)
  for (let via = 0; via < nodeCount; via++) {
    for (let from = 0; from < nodeCount; from++) {
      for (let to = 0; to < nodeCount; to++) {
        if (reaches[from]?.[via] && reaches[via]?.[to]) set(from, to)
      }
    }
  }
  return reaches
}
