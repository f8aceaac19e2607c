// snappyjs comes without types.
declare module 'snappyjs' {
  const snappyjs: {
    compress(input: Buffer): Buffer
    uncompress(input: Buffer, sizeMax?: number): Buffer
  }
  export = snappyjs
}
