// A page of metrics in the text format of Prometheus 0.0.4. Enters: families, each with its samples. Leaves: one text.
import type { Durations } from '../durations.ts'

export const PAGE_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** `name="value"` with commas between, as it stands inside the braces; empty: no labels. */
export type LabelText = string
export type Sample = readonly [labels: LabelText, value: number]
/** Undefined: it cannot be read now, and there is no sample. */
export type Value = number | undefined | Iterable<Sample>

export class PageText {
  readonly #lines: string[] = []

  gauge(name: string, help: string, value: Value): void {
    this.#family(name, help, 'gauge', value)
  }

  counter(name: string, help: string, value: Value): void {
    this.#family(name, help, 'counter', value)
  }

  histogram(name: string, help: string, all: Iterable<readonly [LabelText, Durations]>): void {
    this.#head(name, help, 'histogram')
    for (const [labels, durations] of all) {
      const { bounds, cumulative, count, sumSeconds } = durations
      const before = labels === '' ? '' : `${labels},`
      for (const [bucket, bound] of bounds.entries())
        this.#sample(`${name}_bucket`, `${before}le="${bound}"`, cumulative[bucket] ?? 0)
      this.#sample(`${name}_bucket`, `${before}le="+Inf"`, count)
      this.#sample(`${name}_sum`, labels, sumSeconds)
      this.#sample(`${name}_count`, labels, count)
    }
  }

  toString(): string {
    return `${this.#lines.join('\n')}\n`
  }

  #family(name: string, help: string, type: 'gauge' | 'counter', value: Value): void {
    this.#head(name, help, type)
    if (typeof value === 'number') this.#sample(name, '', value)
    else for (const [labels, sample] of value ?? []) this.#sample(name, labels, sample)
  }

  #head(name: string, help: string, type: string): void {
    this.#lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`)
  }

  #sample(name: string, labels: LabelText, value: number): void {
    this.#lines.push(labels === '' ? `${name} ${value}` : `${name}{${labels}} ${value}`)
  }
}

const ESCAPED: Readonly<Record<string, string>> = { '\\': '\\\\', '"': '\\"', '\n': '\\n' }

export function labelText(labels: Readonly<Record<string, string>>): LabelText {
  return Object.entries(labels)
    .map(
      ([name, value]) => `${name}="${value.replaceAll(/[\\"\n]/g, (one) => ESCAPED[one] ?? one)}"`,
    )
    .join(',')
}
