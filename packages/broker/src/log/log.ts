import type { BatchHeader } from '@minikafka/protocol'
import type { LeaderEpochs } from './leader-epochs.ts'
import type { LogSettings, LogSlice } from './log-types.ts'

export class Log {
  declare readonly topic: string
  declare readonly topicId: string
  declare readonly partition: number
  declare readonly directory: string
  declare readonly epochs: LeaderEpochs
  get logStartOffset(): number {
    throw new Error('soon')
  }
  get queuedEndOffset(): number {
    throw new Error('soon')
  }
  get logEndOffset(): number {
    throw new Error('soon')
  }
  get durableEndOffset(): number {
    throw new Error('soon')
  }
  get compactedBelow(): number {
    throw new Error('soon')
  }
  get sizeBytes(): number {
    throw new Error('soon')
  }
  get segmentCount(): number {
    throw new Error('soon')
  }
  get settings(): LogSettings {
    throw new Error('soon')
  }
  configure(_settings: LogSettings): void {
    throw new Error('soon')
  }
  enqueue(_batch: Uint8Array): void {
    throw new Error('soon')
  }
  read(
    _from: number,
    _below: number,
    _bytesMax: number,
    _firstWhole: boolean,
  ): LogSlice | Promise<LogSlice> {
    throw new Error('soon')
  }
  offsetForTime(
    _timestampMs: number,
    _below: number,
  ): Promise<{ offset: number; timestamp: number } | undefined> {
    throw new Error('soon')
  }
  deleteBefore(_offset: number): Promise<void> {
    throw new Error('soon')
  }
  applyRetention(_nowWallMs: number, _highWatermark: number): Promise<number> {
    throw new Error('soon')
  }
  headers(_from: number, _visit: (header: BatchHeader, position: number) => void): Promise<void> {
    throw new Error('soon')
  }
  flush(): Promise<void> {
    throw new Error('soon')
  }
  truncateTo(_offset: number): Promise<void> {
    throw new Error('soon')
  }
}
