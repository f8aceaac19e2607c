export class LeaderEpochs {
  get latest(): number {
    throw new Error('soon')
  }
  assign(_epoch: number, _startOffset: number): Promise<void> {
    throw new Error('soon')
  }
  endOffsetFor(
    _epoch: number,
    _logEndOffset: number,
  ): { epoch: number; endOffset: number } | undefined {
    throw new Error('soon')
  }
  epochAt(_offset: number): number | undefined {
    throw new Error('soon')
  }
}
