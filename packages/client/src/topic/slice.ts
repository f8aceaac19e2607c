// Decoding straight from a batch: most values need no view of their own (PERFORMANCE 5).
// A decode function may carry a second one, which is told where in the batch the bytes stand.

/** From the bytes of `body` between two positions. */
export type Slice<Out> = (body: Buffer, start: number, end: number) => Out | Promise<Out>

export type SlicingDecode<Out> = ((view: Buffer) => Out | Promise<Out>) & {
  readonly slice?: Slice<Out>
}

/** `decode` with its shortcut. It hangs on the function, so that who replaces `decode` replaces both. */
export function sliced<Out>(
  decode: (view: Buffer) => Out | Promise<Out>,
  slice: Slice<Out>,
): SlicingDecode<Out> {
  return Object.assign((view: Buffer) => decode(view), { slice })
}

/** The shortcut of a codec, or one that makes a view. */
export function sliceOf<Out>(codec: { decode: SlicingDecode<Out> }): Slice<Out> {
  return codec.decode.slice ?? ((body, start, end) => codec.decode(viewOf(body, start, end)))
}

const View = makeView()

/** Without a name of its own: a build that keeps names (tsx does) defines it anew, and `new` then costs ten times as much. */
function makeView() {
  const view = (() => class extends Uint8Array {})()
  // Buffer.isBuffer, equals, toString and all other methods work; only the identity of the prototype differs.
  Object.setPrototypeOf(view.prototype, Buffer.prototype)
  return view
}

/** A view that is a Buffer to whoever gets it, at half the price of `subarray`. It keeps the whole of `body`. */
export function viewOf(body: Buffer, start: number, end: number): Buffer {
  const view = new View(body.buffer as ArrayBuffer, body.byteOffset + start, end - start)
  return view as unknown as Buffer
}

/** What `toString` calls after its checks; the positions of a batch are checked already. */
export function utf8Slice(body: Buffer, start: number, end: number): string {
  return (body as unknown as Utf8Sliceable).utf8Slice(start, end)
}

type Utf8Sliceable = { utf8Slice(start: number, end: number): string }
