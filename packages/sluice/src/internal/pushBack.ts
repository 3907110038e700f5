/**
 * A transport of which somebody has read too much.
 */
import type { Transport } from "../Network.js"
import { proxiedTransport } from "./proxiedTransport.js"

/**
 * The transport as if the bytes had not been read yet; it takes the place of the one that was given. So are the bytes
 * behind a header of the PROXY protocol handed out, and this is the same without a header.
 *
 * @internal
 */
export const pushBack = (transport: Transport, bytes: Uint8Array): Transport =>
  proxiedTransport(transport, undefined, bytes, undefined)
