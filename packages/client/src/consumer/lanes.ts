// In which order run() hands out: one record of a partition at a time, one of a key, or as many as there are workers.
// Enters: feeds with records, and which tasks are done. Leaves: the next task that may begin.
import type { Feed, Hands } from './feed.ts'
import type { FetchedRecord } from './record.ts'
import type { Source } from './source.ts'
import { Task } from './task.ts'

/** Handed out of one partition and not finished: beyond it the partition waits, so that memory is bounded. */
const OPEN_RECORDS_MAX = 4096

export class Lanes implements Hands {
  readonly #source: Source
  /** undefined: no order. */
  readonly #laneOf: ((feed: Feed, record: FetchedRecord) => unknown) | undefined
  readonly #openMax: number
  /** By feed, in the order of their offsets: where the next mode begins if this one ends. */
  readonly #open = new Map<Feed, Set<Task>>()
  /** By lane: those that wait for the one at work. */
  readonly #waiting = new Map<unknown, Task[]>()
  readonly #laneAt = new Map<Task, unknown>()
  /** Nothing stands before them any more: freed by their lane, or to be tried again. */
  readonly #free: Task[] = []
  /** By feed: the last offset on which work has begun. What waits before it is a gap. */
  readonly #begunTo = new WeakMap<Feed, number>()

  constructor(
    source: Source,
    laneOf: ((feed: Feed, record: FetchedRecord) => unknown) | undefined,
    openMax: number,
  ) {
    this.#source = source
    this.#laneOf = laneOf
    this.#openMax = openMax
  }

  /** A task that may begin now. Errors: as Source.next. */
  next(): Task | undefined {
    return this.#nextFree(false) ?? this.#nextNew()
  }

  /** The same of gaps alone. */
  nextGap(): Task | undefined {
    return this.#nextFree(true)
  }

  #nextFree(gapsOnly: boolean): Task | undefined {
    for (let index = 0; index < this.#free.length; ) {
      const task = this.#free[index] as Task
      const { feed } = task
      const mustBeGap = gapsOnly || feed.withheld
      const mayBegin = !mustBeGap || (this.#isGap(task) && this.hasGap(feed))
      if (!task.isPast && (feed.paused || !mayBegin)) {
        index++
        continue
      }
      this.#free.splice(index, 1)
      if (!task.isPast) return this.#begun(task)
      this.finish(task)
      index = 0
    }
    return undefined
  }

  #begun(task: Task): Task {
    // Only who waits for its key is overtaken.
    if (this.#laneOf === undefined) return task
    const { feed, record } = task
    this.#begunTo.set(feed, Math.max(record.offset, this.#begunTo.get(feed) ?? -1))
    return task
  }

  #isGap({ feed, record }: Task): boolean {
    return record.offset < (this.#begunTo.get(feed) ?? -1)
  }

  /** A record waits in front of one that has begun: until it is done, too, nobody can keep what is done behind it. */
  hasGap(feed: Feed): boolean {
    if (feed.paused) return false
    for (const task of this.#open.get(feed) ?? []) {
      if (task.isPast || feed.isAcked(task.record.offset)) continue
      return !task.isLeft && this.#isGap(task)
    }
    return false
  }

  hasGaps(): boolean {
    for (const feed of this.#open.keys()) if (this.hasGap(feed)) return true
    return false
  }

  #nextNew(): Task | undefined {
    for (;;) {
      const feed = this.#source.next()
      const record = feed?.handOne()
      if (feed === undefined || record === undefined) return undefined
      const task = new Task(feed, record)
      this.#enter(task)
      if (this.#mayBegin(task)) return this.#begun(task)
    }
  }

  #enter(task: Task): void {
    const { feed } = task
    const open = this.#open.get(feed) ?? new Set()
    this.#open.set(feed, open.add(task))
    feed.unfinished = open.size
    feed.held = open.size >= this.#openMax
    feed.hands = this
  }

  /** Tasks stand in the order of their offsets; what is finished has left. */
  firstUnfinished(feed: Feed): number | undefined {
    for (const task of this.#open.get(feed) ?? []) {
      if (!task.isPast && !feed.isAcked(task.record.offset)) return task.record.offset
    }
    return undefined
  }

  dropped(feed: Feed): void {
    this.#open.delete(feed)
  }

  #mayBegin(task: Task): boolean {
    if (this.#laneOf === undefined) return true
    const lane = this.#laneOf(task.feed, task.record)
    this.#laneAt.set(task, lane)
    const waiting = this.#waiting.get(lane)
    if (waiting === undefined) this.#waiting.set(lane, [])
    else waiting.push(task)
    return waiting === undefined
  }

  /** The task is done, or past: the next of its lane may begin. */
  finish(task: Task): void {
    const { feed } = task
    const open = this.#open.get(feed)
    open?.delete(task)
    feed.settleOne(task.record.offset)
    feed.unfinished = open?.size ?? 0
    feed.held = feed.unfinished >= this.#openMax
    if (feed.unfinished === 0) feed.settle()
    this.letGo(task)
  }

  /** The task is not finished, and nobody works on it any more: its lane does not wait for it. */
  letGo(task: Task): void {
    task.isLeft = true
    if (this.#laneOf === undefined) return
    const lane = this.#laneAt.get(task)
    this.#laneAt.delete(task)
    const next = this.#waiting.get(lane)?.shift()
    if (next === undefined) this.#waiting.delete(lane)
    else this.#free.push(next)
  }

  /** The task is to be tried again; its lane still waits for it. */
  again(task: Task): void {
    task.attempt++
    task.isLeft = false
    this.#free.push(task)
  }

  /** All is over: what is not finished is the next of the next mode. */
  giveBack(): void {
    for (const [feed, open] of this.#open) {
      feed.held = false
      const first = [...open].find((task) => !task.isPast && !feed.isAcked(task.record.offset))
      if (first !== undefined) feed.goBack(first.record.offset)
      feed.settle()
    }
  }
}

export function lanesOf(order: 'partition' | 'key' | 'none', source: Source): Lanes {
  // One open record holds up its partition: no lane has to be known.
  if (order === 'partition') return new Lanes(source, undefined, 1)
  if (order === 'none') return new Lanes(source, undefined, OPEN_RECORDS_MAX)
  return new Lanes(source, keyLane, OPEN_RECORDS_MAX)
}

/** Equal bytes give equal lanes; a codec that makes the same of different keys only makes them wait for each other. */
function keyLane({ key: partition }: Feed, { key }: FetchedRecord): string {
  return `${partition}/${textOf(key)}`
}

function textOf(key: unknown): string {
  if (key instanceof Uint8Array) return Buffer.prototype.latin1Slice.call(key)
  if (typeof key !== 'object' || key === null) return `${typeof key} ${String(key)}`
  try {
    return JSON.stringify(key)
  } catch {
    return Object.prototype.toString.call(key)
  }
}
