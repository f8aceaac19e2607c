// Which topics an expression matches. re2js runs in time linear in the name; what was found is kept, and only names that
// come and go are looked at again. Enters: expressions, names. Leaves: names, or INVALID_REGULAR_EXPRESSION.
import type { Clock } from '@minikafka/platform'
import { MinikafkaError } from '@minikafka/protocol'
import { RE2JS, RE2JSException } from 're2js'

/** REPLICATION 2.13.3. */
const LENGTH_MAX = 256
/** Instructions: a repetition of 256 characters stands for very many. What people write has some dozens. */
const PROGRAM_SIZE_MAX = 1_000
/** No others are served meanwhile. A usual expression takes 2 us for a name. */
const EVALUATION_MS_MAX = 250
/** There may be more topics than when it was accepted, and more to do at the moment: who is in is not put out lightly. */
const KEPT_EVALUATION_MS_MAX = 1_000
/** What is kept of all expressions; the least recently used go. */
const KEPT_BYTES_MAX = 32 * 1024 * 1024
const BYTES_PER_PATTERN = 2_048
const BYTES_PER_INSTRUCTION = 200
const BYTES_PER_NAME = 8

type Pattern = { readonly re: RE2JS; names: readonly string[]; bytes: number }

export class TopicPatterns {
  readonly #clock: Clock
  readonly #topicNames: () => Iterable<string>
  readonly #keptBytesMax: number
  /** By expression, the least recently used first. */
  readonly #patterns = new Map<string, Pattern>()
  #bytes = 0

  constructor(clock: Clock, topicNames: () => Iterable<string>, keptBytesMax = KEPT_BYTES_MAX) {
    this.#clock = clock
    this.#topicNames = topicNames
    this.#keptBytesMax = keptBytesMax
  }

  get count(): number {
    return this.#patterns.size
  }

  /** In name order; the whole name matches. `isKept`: it was accepted before. Errors: INVALID_REGULAR_EXPRESSION. */
  matching(expression: string, isKept = false): readonly string[] {
    const known = this.#patterns.get(expression)
    if (known === undefined)
      return this.#add(expression, isKept ? KEPT_EVALUATION_MS_MAX : EVALUATION_MS_MAX).names
    this.#patterns.delete(expression)
    this.#patterns.set(expression, known)
    return known.names
  }

  /** Names that came into being, and names that went. Where that takes too long, they are looked at when asked for. */
  changed(came: readonly string[], went: ReadonlySet<string>): void {
    const untilMs = this.#clock.monotonicMs() + EVALUATION_MS_MAX
    for (const [expression, pattern] of this.#patterns) {
      const found = foundAmong(came, pattern.re, () => this.#clock.monotonicMs() > untilMs)
      pattern.re.reset()
      if (found === undefined) {
        this.#forget(expression, pattern)
        continue
      }
      const isLess = pattern.names.some((name) => went.has(name))
      if (found.length === 0 && !isLess) continue
      const kept = pattern.names.filter((name) => !went.has(name))
      this.#put(pattern, sorted([...kept, ...found]))
    }
    this.#forgetSome()
  }

  #add(expression: string, timeMaxMs: number): Pattern {
    const re = compiled(expression)
    const untilMs = this.#clock.monotonicMs() + timeMaxMs
    const names: string[] = []
    for (const name of this.#topicNames()) {
      if (re.testExact(name)) names.push(name)
      if (this.#clock.monotonicMs() > untilMs) throw invalid('it takes too long: make it simpler')
    }
    // Up to 8 MiB of states, which the next name would find again.
    re.reset()
    const pattern: Pattern = { re, names: [], bytes: 0 }
    this.#put(pattern, sorted(names))
    this.#patterns.set(expression, pattern)
    this.#forgetSome()
    return pattern
  }

  #put(pattern: Pattern, names: readonly string[]): void {
    this.#bytes -= pattern.bytes
    pattern.names = names
    pattern.bytes =
      BYTES_PER_PATTERN +
      pattern.re.programSize() * BYTES_PER_INSTRUCTION +
      names.length * BYTES_PER_NAME
    this.#bytes += pattern.bytes
  }

  #forgetSome(): void {
    for (const [expression, pattern] of this.#patterns) {
      if (this.#bytes <= this.#keptBytesMax) return
      this.#forget(expression, pattern)
    }
  }

  #forget(expression: string, { bytes }: Pattern): void {
    this.#patterns.delete(expression)
    this.#bytes -= bytes
  }
}

/** Undefined: there is no time to look at all of them. */
function foundAmong(
  names: readonly string[],
  re: RE2JS,
  isLate: () => boolean,
): string[] | undefined {
  const found: string[] = []
  for (const name of names) {
    if (isLate()) return undefined
    if (re.testExact(name)) found.push(name)
  }
  return found
}

function compiled(expression: string): RE2JS {
  if (expression.length > LENGTH_MAX)
    throw invalid(`it has ${expression.length} characters, the most is ${LENGTH_MAX}`)
  try {
    const re = RE2JS.compile(expression)
    if (re.programSize() <= PROGRAM_SIZE_MAX) return re
  } catch (error) {
    if (error instanceof RE2JSException) throw invalid(error.message)
    throw error
  }
  throw invalid('its repetitions stand for too many characters: make it simpler')
}

function invalid(why: string): MinikafkaError {
  return new MinikafkaError('INVALID_REGULAR_EXPRESSION', {
    message: `the expression for topics: ${why}`,
  })
}

function sorted(names: string[]): readonly string[] {
  return names.sort()
}
