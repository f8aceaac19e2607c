// A fault that waits for the next operations of its kind, anywhere or below one path.
import { namesOf } from './tree.ts'

export class ArmedFault {
  #count = 0
  #below: readonly string[] = []

  /** The next `count` operations on `path`, or below it, go wrong. */
  arm(count: number, path = '/'): void {
    this.#count = count
    this.#below = namesOf(path)
  }

  disarm(): void {
    this.#count = 0
  }

  /** True: this operation is one of them. */
  strikes(path: string): boolean {
    if (this.#count === 0) return false
    const names = namesOf(path)
    if (this.#below.some((name, index) => names[index] !== name)) return false
    this.#count--
    return true
  }
}
