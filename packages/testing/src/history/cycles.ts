// Cycles of information: an operation that read, over detours, what was written only because of it (Adya's G1c).
// Edges go from writer to reader alone: writes are not isolated, so cycles through the order of writes (G0) are allowed.
// With the order of a process, or of real time, a cycle means a read from the future.
import { type Act, stepsOf } from './act.ts'
import type { Anomalies, AnomalyKind } from './anomaly.ts'
import { Graph } from './components.ts'
import type { Facts } from './facts.ts'

type Order = 'none' | 'process' | 'realtime'

const KINDS: readonly (readonly [Order, AnomalyKind])[] = [
  ['none', 'G1c'],
  ['process', 'G1c-process'],
  ['realtime', 'G1c-realtime'],
]

/** Each order contains those before it: where the last has no cycle none has. A component is told once, by its weakest. */
export function checkCycles(facts: Facts, anomalies: Anomalies): void {
  if (componentsOf(facts, 'realtime').length === 0) return
  const told = new Set<Act>()
  for (const [order, kind] of KINDS) {
    for (const component of componentsOf(facts, order)) {
      if (component.some((act) => told.has(act))) continue
      for (const act of component) told.add(act)
      const operations = component.map(({ operation }) => operation)
      anomalies.add({ kind, text: textOf(component, order), operations })
    }
  }
}

function textOf(component: readonly Act[], order: Order): string {
  const who = component.map(({ call, process }) => `${call} of process ${process}`).join(', ')
  if (order === 'none') return `each of these read what another wrote, around a circle: ${who}`
  return `a read from the future, by the order of ${order === 'process' ? 'a process' : 'time'}: ${who}`
}

function componentsOf(facts: Facts, order: Order): Act[][] {
  const { acts } = facts
  const graph = graphOf(facts, order)
  const cycles = graph.components().map((nodes) => {
    const inOrder = nodes.sort((a, b) => a - b)
    return inOrder.flatMap((node) => acts[node] ?? [])
  })
  return cycles.filter((cycle) => cycle.length > 1)
}

/**
 * Nodes are the acts, then points of time. An act that ended before another began reaches it over the points between,
 * which keeps the number of edges linear where a direct edge for each pair would not.
 */
function graphOf(facts: Facts, order: Order): Graph {
  const { acts } = facts
  const points = order === 'none' ? [] : pointsOf(acts)
  const graph = new Graph(acts.length + points.length)
  addReads(facts, graph)
  const last = new Map<number, number>()
  for (const [index, { act, begins }] of points.entries()) {
    const point = acts.length + index
    const line = order === 'process' ? act.process : 0
    const before = last.get(line)
    if (before !== undefined) graph.edge(before, point)
    last.set(line, point)
    if (begins) graph.edge(point, act.index)
    else graph.edge(act.index, point)
  }
  return graph
}

function addReads({ acts, partitions }: Facts, graph: Graph): void {
  for (const act of acts) {
    if (act.outcome !== 'ok') continue
    for (const step of stepsOf(act)) {
      if (!('poll' in step)) continue
      const writes = partitions.get(step.poll)?.writes
      for (const { value } of step.records) {
        const writer = writes?.get(value)?.act
        if (writer !== undefined && writer !== act) graph.edge(writer.index, act.index)
      }
    }
  }
}

/** Beginnings and ends in their order. */
function pointsOf(acts: readonly Act[]): { at: number; act: Act; begins: boolean }[] {
  const points = acts.flatMap((act) => {
    const begin = { at: act.began, act, begins: true }
    return act.ended === Infinity ? [begin] : [begin, { at: act.ended, act, begins: false }]
  })
  return points.sort((a, b) => a.at - b.at || Number(b.begins) - Number(a.begins))
}
