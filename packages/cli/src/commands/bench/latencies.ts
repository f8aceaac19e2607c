// Latencies of a run. Enters: milliseconds. Leaves: percentiles in milliseconds, three digits of them exact.
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'

const NS_PER_MS = 1_000_000
/** An hour; what is longer counts as that. */
const MS_MAX = 3_600_000

export type Percentiles = Record<'p50' | 'p90' | 'p99' | 'p999' | 'max', number>

export class Latencies {
  #histogram: RecordableHistogram = newHistogram()

  record(ms: number): void {
    this.#histogram.record(Math.max(1, Math.round(Math.min(ms, MS_MAX) * NS_PER_MS)))
  }

  /** What came before does not count. */
  clear(): void {
    this.#histogram = newHistogram()
  }

  get count(): number {
    return this.#histogram.count
  }

  /** undefined: nothing was measured. */
  percentiles(): Percentiles | undefined {
    if (this.count === 0) return undefined
    const at = (percent: number) => roundMs(this.#histogram.percentile(percent))
    return {
      p50: at(50),
      p90: at(90),
      p99: at(99),
      p999: at(99.9),
      max: roundMs(this.#histogram.max),
    }
  }

  /** HdrHistogram's percentile distribution, values in milliseconds. */
  distribution(): string {
    const lines = ['       Value     Percentile TotalCount 1/(1-Percentile)', '']
    for (const [percent, ns] of this.#histogram.percentiles) {
      const share = percent / 100
      const seen = Math.round(share * this.count)
      const tail = share >= 1 ? '' : (1 / (1 - share)).toFixed(2).padStart(15)
      const value = (ns / NS_PER_MS).toFixed(3).padStart(12)
      lines.push(
        `${value} ${share.toFixed(12).padStart(2)} ${String(seen).padStart(10)}${tail === '' ? '' : ` ${tail}`}`,
      )
    }
    const { mean, stddev, max } = this.#histogram
    const of = (ns: number) => (ns / NS_PER_MS).toFixed(3).padStart(12)
    lines.push(
      `#[Mean    = ${of(mean)}, StdDeviation   = ${of(stddev)}]`,
      `#[Max     = ${of(max)}, Total count    = ${String(this.count).padStart(12)}]`,
    )
    return `${lines.join('\n')}\n`
  }
}

function newHistogram(): RecordableHistogram {
  return createHistogram({ lowest: 1, highest: MS_MAX * NS_PER_MS, figures: 3 })
}

function roundMs(ns: number): number {
  return Math.round(ns / 1000) / 1000
}
