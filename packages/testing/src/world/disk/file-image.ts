// One file as the kernel and the platter see it: what reads show, what is durable, and in between the
// ordered list of operations that no fdatasync has covered yet.
import type { Generator } from '../generator.ts'
import { GrowingBytes } from './growing-bytes.ts'
import { tearWrite } from './tear.ts'

/** `bytes` are the image's own. */
export type Operation =
  | { readonly type: 'write'; readonly position: number; readonly bytes: Uint8Array }
  | { readonly type: 'resize'; readonly size: number }

export class FileImage {
  readonly kind = 'file'
  modifiedMs: number
  readonly #content = new GrowingBytes()
  readonly #durable = new GrowingBytes()
  #unsynced: Operation[] = []
  /** Operations ever taken from the front of `#unsynced`: marks stay valid while the list shifts. */
  #coveredCount = 0

  constructor(createdMs: number) {
    this.modifiedMs = createdMs
  }

  get size(): number {
    return this.#content.size
  }

  get unsynced(): readonly Operation[] {
    return this.#unsynced
  }

  apply(operation: Operation, nowMs: number): void {
    applyTo(this.#content, operation)
    this.#unsynced.push(operation)
    this.modifiedMs = nowMs
  }

  read(into: Uint8Array, position: number): number {
    return this.#content.read(into, position)
  }

  copy(): Buffer {
    return this.#content.copy()
  }

  /** What a sync issued now covers: everything that finished before it. */
  mark(): number {
    return this.#coveredCount + this.#unsynced.length
  }

  syncTo(mark: number): void {
    for (const operation of this.#cover(mark)) applyTo(this.#durable, operation)
  }

  /**
   * A failed fsync marks the pages clean: they read fine until the crash, and no later sync writes them.
   *
   * Source  Rebello et al., "Can Applications Recover from fsync Failures?", ATC'20.
   */
  forgetTo(mark: number): void {
    this.#cover(mark)
  }

  powerCut(dice: Generator): void {
    for (const operation of this.#cover(this.mark())) tearWrite(this.#durable, operation, dice)
    this.#content.become(this.#durable)
  }

  #cover(mark: number): Operation[] {
    const covered = this.#unsynced.splice(0, Math.max(0, mark - this.#coveredCount))
    this.#coveredCount += covered.length
    return covered
  }
}

function applyTo(content: GrowingBytes, operation: Operation): void {
  if (operation.type === 'write') content.write(operation.bytes, operation.position)
  else content.resize(operation.size)
}
