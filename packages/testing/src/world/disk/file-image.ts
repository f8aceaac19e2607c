// One file as the kernel and the platter see it: what reads show, what is durable, and in between the
// ordered list of operations that no fdatasync has covered yet.
import type { Generator } from '../generator.ts'
import { BadSectors } from './bad-sectors.ts'
import { GrowingBytes } from './growing-bytes.ts'
import { drawFates, tearWrite } from './tear.ts'

/** `bytes` are the image's own. */
export type Operation =
  | { readonly type: 'write'; readonly position: number; readonly bytes: Uint8Array }
  | { readonly type: 'resize'; readonly size: number }

/** A file as it was at some moment. */
export type FileCopy = { readonly content: Buffer; readonly durable: Buffer }

export class FileImage {
  readonly kind = 'file'
  modifiedMs: number
  /** What the platter does not give back any more. */
  readonly badSectors = new BadSectors()
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

  get durableSize(): number {
    return this.#durable.size
  }

  /** A power cut changes nothing of it. */
  get settled(): boolean {
    return this.#unsynced.length === 0 && this.#content.equals(this.#durable)
  }

  apply(operation: Operation, nowMs: number): void {
    applyTo(this.#content, operation)
    if (operation.type === 'write') this.badSectors.written(operation.position, operation.bytes)
    else this.badSectors.cut(operation.size)
    this.#unsynced.push(operation)
    this.modifiedMs = nowMs
  }

  read(into: Uint8Array, position: number): number {
    return this.#content.read(into, position)
  }

  copy(): Buffer {
    return this.#content.copy()
  }

  durableCopy(): Buffer {
    return this.#durable.copy()
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
    const operations = this.#cover(this.mark())
    const fates = drawFates(operations.length, dice)
    for (const [index, operation] of operations.entries()) {
      if (fates[index] === 'kept') applyTo(this.#durable, operation)
      else if (fates[index] === 'torn') tearWrite(this.#durable, operation, dice)
    }
    this.#content.become(this.#durable)
  }

  /** The platter changes what it keeps. What was only in memory until now is changed there. */
  rot(position: number, change: (byte: number, index: number) => number, size = 1): void {
    this.#content.change(position, size, change)
    this.#durable.change(position, size, change)
  }

  keep(): FileCopy {
    return { content: this.copy(), durable: this.durableCopy() }
  }

  /** An old copy is put in its place, as by a backup or a firmware that lost writes. */
  putBack({ content, durable }: FileCopy): void {
    this.#cover(this.mark())
    this.#content.replace(content)
    this.#durable.replace(durable)
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
