// Saved parts of offset and time indexes in memory: one LRU over all segments, bounded in bytes.

export class IndexCache {
  readonly #bytesMax: number
  #bytes = 0
  readonly #contents = new Map<object, Buffer>()

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get(index: object): Buffer | undefined {
    const content = this.#contents.get(index)
    if (content === undefined) return undefined
    this.#contents.delete(index)
    this.#contents.set(index, content)
    return content
  }

  set(index: object, content: Buffer): void {
    this.delete(index)
    this.#contents.set(index, content)
    this.#bytes += content.length
    for (const oldest of this.#contents.keys()) {
      if (this.#bytes <= this.#bytesMax) return
      this.delete(oldest)
    }
  }

  delete(index: object): void {
    const content = this.#contents.get(index)
    if (content === undefined) return
    this.#contents.delete(index)
    this.#bytes -= content.length
  }
}
