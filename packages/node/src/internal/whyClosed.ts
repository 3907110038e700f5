import type { Socket } from "node:net"
import { fromSystemError, TransportError } from "sluice/Network"

/** @internal Why a socket that is closed is so, in the words of an operation. */
export const whyClosed = ({ errored }: Socket, operation: TransportError["operation"]): TransportError =>
  errored === null
    ? new TransportError({ reason: "Closed", operation, detail: "the connection is closed" })
    : fromSystemError(errored, operation)
