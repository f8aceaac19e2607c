// How long a disk or a wire takes: mostly little, now and then much.
import type { Generator } from './generator.ts'

export type Latency = { readonly minMs: number; readonly maxMs: number }

/** On a held clock whatever needs no timer is done at once, in an order that the seed chooses. */
export const NO_LATENCY: Latency = { minMs: 0, maxMs: 0 }

/** Skewed to the short end; one in two hundred takes ten times as long. */
export function drawMs({ minMs, maxMs }: Latency, dice: Generator): number {
  if (maxMs === 0) return 0
  const share = dice.next()
  const delayMs = minMs + (maxMs - minMs) * share * share * share
  return dice.chance(0.005) ? delayMs * 10 : delayMs
}
