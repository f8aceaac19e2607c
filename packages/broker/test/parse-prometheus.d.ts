// What the parser of Prometheus text gives; the package brings no types.
declare module 'parse-prometheus-text-format' {
  export type Metric = {
    readonly labels?: Readonly<Record<string, string>>
    readonly value?: string
    readonly buckets?: Readonly<Record<string, string>>
    readonly count?: string
    readonly sum?: string
  }
  export type Family = {
    readonly name: string
    readonly help: string
    readonly type: string
    readonly metrics: readonly Metric[]
  }
  export default function parse(text: string): Family[]
}
