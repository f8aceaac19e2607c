// What two runs of one seed must agree on: every event, its time, its node, its bytes.
// Enters: events as they happen. Leaves: 64 bits that differ as soon as anything did.
import { crc32c } from '@minikafka/platform'
import { hashText } from './generator.ts'

export class RunningHash {
  #low = 0x2545f491
  #high = 0x9e3779b9
  readonly #words = new Map<string, number>()
  readonly #double = new Float64Array(1)
  readonly #halves = new Uint32Array(this.#double.buffer)

  number(value: number): void {
    this.#double[0] = value
    this.#mix(this.#halves[0] as number)
    this.#mix(this.#halves[1] as number)
  }

  /** Words repeat: labels and names of nodes. */
  word(text: string): void {
    let hash = this.#words.get(text)
    if (hash === undefined) {
      hash = hashText(text)
      this.#words.set(text, hash)
    }
    this.#mix(hash)
  }

  bytes(bytes: Uint8Array): void {
    this.#mix(bytes.length)
    this.#mix(crc32c(bytes))
  }

  digest(): string {
    return [this.#high, this.#low]
      .map((half) => (half >>> 0).toString(16).padStart(8, '0'))
      .join('')
  }

  #mix(value: number): void {
    this.#low = Math.imul(this.#low ^ value, 0x85ebca6b) + 0x165667b1
    this.#low ^= this.#low >>> 15
    this.#high = Math.imul(this.#high ^ value ^ this.#low, 0xc2b2ae35) + 0x27d4eb2f
    this.#high ^= this.#high >>> 13
  }
}
