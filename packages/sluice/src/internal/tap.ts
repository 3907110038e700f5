/**
 * What a wire trace sees of a connection.
 */

/** @internal Called with each frame that passes; `payload` is what is here of its `size` bytes, and belongs to others. */
export type Tap = (
  direction: "received" | "sent",
  frame: { readonly opcode: number; readonly fin: boolean; readonly size: number; readonly payload: Uint8Array }
) => void
