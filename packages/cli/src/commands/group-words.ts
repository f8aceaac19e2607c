// How times, partitions and lags of groups read. Pure.
import type { PartitionLag, Partitions } from '@minikafka/client'
import type { Column } from '../table.ts'

/** `0.4 s`, `15 s`, `3 min`, `2 h`, `9 d`. */
export function durationText(ms: number): string {
  if (ms < 1000) return `${(ms / 1000).toFixed(1)} s`
  if (ms < 120_000) return `${Math.round(ms / 1000)} s`
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} min`
  if (ms < 172_800_000) return `${Math.round(ms / 3_600_000)} h`
  return `${Math.round(ms / 86_400_000)} d`
}

export function agoText(ms: number): string {
  return `${durationText(ms)} ago`
}

export function timeText(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z')
}

/** `orders 0, 2-5; refunds 1`, in name order. */
export function partitionsText(partitions: Partitions): string {
  const byTopic = new Map<string, number[]>()
  for (const { topic, partition } of partitions)
    byTopic.set(topic, [...(byTopic.get(topic) ?? []), partition])
  return [...byTopic]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([topic, numbers]) => `${topic} ${rangesText(numbers)}`)
    .join('; ')
}

function rangesText(numbers: readonly number[]): string {
  const ranges: [number, number][] = []
  for (const number of [...numbers].sort((a, b) => a - b)) {
    const last = ranges.at(-1)
    if (last !== undefined && last[1] === number - 1) last[1] = number
    else ranges.push([number, number])
  }
  return ranges.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(', ')
}

export function lagColumns<T extends PartitionLag>(): Column<T>[] {
  return [
    { title: 'TOPIC', of: ({ topic }) => topic, fit: 'cut' },
    { title: 'PARTITION', of: ({ partition }) => String(partition), right: true },
    {
      title: 'COMMITTED',
      of: ({ committed }) => (committed === undefined ? '-' : String(committed)),
      right: true,
    },
    { title: 'END', of: ({ end }) => String(end), right: true },
    { title: 'LAG', of: ({ lag }) => String(lag), right: true },
    {
      title: 'BEHIND',
      of: ({ lagMs }) => (lagMs === undefined ? '-' : durationText(lagMs)),
      right: true,
    },
  ]
}
