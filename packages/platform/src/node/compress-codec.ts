// What compress.ts asks of each of its codecs.

export type Codec = {
  /** Loads the library behind it; may be called again. */
  prepare(): Promise<void>
  /** Fails, as an assertion, where `prepare` has not resolved. */
  assertPrepared(): void
  compress(input: Uint8Array): Buffer
  /** Whatever it throws says that `input` is broken or gives more than `sizeMax` bytes. */
  decompress(input: Uint8Array, sizeMax: number): Buffer
}
