// Strongly connected components of a directed graph (Tarjan 1972), without recursion: histories are long.
// Enters: edges between numbered nodes. Leaves: the components of more than one node: cycles.

export class Graph {
  readonly nodeCount: number
  readonly #from: number[] = []
  readonly #to: number[] = []

  constructor(nodeCount: number) {
    this.nodeCount = nodeCount
  }

  edge(from: number, to: number): void {
    this.#from.push(from)
    this.#to.push(to)
  }

  /** Every node of a component reaches every other. Linear in nodes and edges. */
  components(): number[][] {
    return new Search(this.nodeCount, ...this.#adjacency()).run()
  }

  /** Targets of node n: `targets` from `starts[n]` to `starts[n + 1]`. */
  #adjacency(): [starts: Uint32Array, targets: Uint32Array] {
    const starts = new Uint32Array(this.nodeCount + 1)
    for (const from of this.#from) starts[from + 1] = (starts[from + 1] ?? 0) + 1
    for (let node = 0; node < this.nodeCount; node++) {
      starts[node + 1] = (starts[node + 1] ?? 0) + (starts[node] ?? 0)
    }
    const next = starts.slice()
    const targets = new Uint32Array(this.#to.length)
    for (const [index, from] of this.#from.entries()) {
      const position = next[from] ?? 0
      targets[position] = this.#to[index] ?? 0
      next[from] = position + 1
    }
    return [starts, targets]
  }
}

class Search {
  readonly #starts: Uint32Array
  readonly #targets: Uint32Array
  /** Order of discovery from 1 on; 0: not yet found. */
  readonly #found: Uint32Array
  /** Smallest `found` that can be reached. */
  readonly #low: Uint32Array
  readonly #onStack: Uint8Array
  readonly #stack: number[] = []
  readonly #cycles: number[][] = []
  #foundCount = 0

  constructor(nodeCount: number, starts: Uint32Array, targets: Uint32Array) {
    this.#starts = starts
    this.#targets = targets
    this.#found = new Uint32Array(nodeCount)
    this.#low = new Uint32Array(nodeCount)
    this.#onStack = new Uint8Array(nodeCount)
  }

  run(): number[][] {
    for (let node = 0; node < this.#found.length; node++) {
      if (this.#found[node] === 0) this.#explore(node)
    }
    return this.#cycles
  }

  #explore(root: number): void {
    const path = [root]
    const next = [this.#discover(root)]
    while (path.length > 0) {
      const depth = path.length - 1
      const node = path[depth] ?? 0
      const position = next[depth] ?? 0
      if (position === this.#starts[node + 1]) {
        path.pop()
        next.pop()
        this.#leave(node)
        const parent = path[depth - 1]
        if (parent !== undefined) this.#lower(parent, this.#low[node] ?? 0)
        continue
      }
      next[depth] = position + 1
      const target = this.#targets[position] ?? 0
      if (this.#found[target] === 0) {
        path.push(target)
        next.push(this.#discover(target))
      } else if (this.#onStack[target] === 1) {
        this.#lower(node, this.#found[target] ?? 0)
      }
    }
  }

  /** Answers where the node's targets begin. */
  #discover(node: number): number {
    this.#foundCount++
    this.#found[node] = this.#foundCount
    this.#low[node] = this.#foundCount
    this.#onStack[node] = 1
    this.#stack.push(node)
    return this.#starts[node] ?? 0
  }

  #leave(node: number): void {
    if (this.#low[node] !== this.#found[node]) return
    const component = this.#stack.splice(this.#stack.lastIndexOf(node))
    for (const member of component) this.#onStack[member] = 0
    if (component.length > 1) this.#cycles.push(component)
  }

  #lower(node: number, low: number): void {
    if (low < (this.#low[node] ?? 0)) this.#low[node] = low
  }
}
