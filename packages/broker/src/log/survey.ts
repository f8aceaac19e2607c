// All segments of a partition that no broker has open, looked through in one pass: for `verify` and `repair`.
// Enters: a directory and what is known of it. Leaves: facts in the order of the offsets; changes nothing.
import type { Env, File } from '@minikafka/platform'
import { BatchChain, type ChainRules } from './batch-chain.ts'
import type { Hole } from './damage.ts'
import { type SegmentFiles, segmentsOf } from './log-files.ts'
import { segmentPath } from './segment.ts'
import {
  type InspectedBatch,
  type InspectedDamage,
  type InspectionDepth,
  inspectSegment,
} from './segment-inspection.ts'

export type Surveyed =
  | { readonly kind: 'begin'; readonly files: SegmentFiles; readonly isLast: boolean }
  /** Before the first segment offsets are missing. */
  | (Hole & { readonly kind: 'gap'; readonly path: string })
  | InspectedBatch
  | InspectedDamage
  | { readonly kind: 'end'; readonly files: SegmentFiles }

export type SurveyOptions = {
  readonly rules: ChainRules
  readonly logStartOffset: number | undefined
  readonly depth: InspectionDepth
}

export class Survey {
  /** Offset after the last batch so far. */
  get endOffset(): number {
    return this.#chain.nextOffset
  }

  readonly segments: readonly SegmentFiles[]
  readonly #env: Env
  readonly #directory: string
  readonly #depth: InspectionDepth
  readonly #chain: BatchChain

  private constructor(
    env: Env,
    directory: string,
    segments: readonly SegmentFiles[],
    { rules, logStartOffset, depth }: SurveyOptions,
  ) {
    this.#env = env
    this.#directory = directory
    this.segments = segments
    this.#depth = depth
    this.#chain = new BatchChain(logStartOffset ?? segments[0]?.baseOffset ?? 0, -1, rules)
  }

  static async begin(env: Env, directory: string, options: SurveyOptions): Promise<Survey> {
    const segments = await segmentsOf(env.disk, directory, await env.disk.list(directory))
    return new Survey(env, directory, segments, options)
  }

  /** Once. Errors: DiskError. */
  async *facts(): AsyncGenerator<Surveyed> {
    for (const [index, files] of this.segments.entries()) {
      const { baseOffset, log: size } = files
      const path = segmentPath({ directory: this.#directory, baseOffset }, 'log')
      const fromOffset = this.#chain.nextOffset
      if (index === 0 && baseOffset > fromOffset && !this.#chain.follows(baseOffset))
        yield { kind: 'gap', path, fromOffset, nextOffset: baseOffset }
      this.#chain.nextOffset = baseOffset
      const next = this.segments[index + 1]
      yield { kind: 'begin', files, isLast: next === undefined }
      const file = await this.#env.disk.open(path, 'read')
      try {
        yield* this.#segment(file, { baseOffset, size, endOffset: next?.baseOffset })
      } finally {
        await file.close()
      }
      yield { kind: 'end', files }
    }
  }

  async *#segment(
    file: File,
    about: { baseOffset: number; size: number; endOffset: number | undefined },
  ): AsyncGenerator<InspectedBatch | InspectedDamage> {
    yield* inspectSegment({ file, ...about }, this.#chain, this.#depth)
  }
}
