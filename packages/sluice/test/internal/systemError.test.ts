import { assert, describe, it } from "@effect/vitest"
import { fromSystemError } from "../../src/internal/systemError.js"
import { TransportError } from "../../src/Network.js"

const table: ReadonlyArray<readonly [code: string | undefined, reason: TransportError["reason"]]> = [
  ["EACCES", "PermissionDenied"],
  ["EADDRINUSE", "AddressInUse"],
  ["EADDRNOTAVAIL", "AddressNotAvailable"],
  ["EAI_AGAIN", "HostNotFound"],
  ["ECONNABORTED", "ConnectionReset"],
  ["ECONNREFUSED", "ConnectionRefused"],
  ["ECONNRESET", "ConnectionReset"],
  ["EHOSTDOWN", "HostUnreachable"],
  ["EHOSTUNREACH", "HostUnreachable"],
  ["ENETDOWN", "HostUnreachable"],
  ["ENETUNREACH", "HostUnreachable"],
  ["ENOTFOUND", "HostNotFound"],
  ["EPERM", "PermissionDenied"],
  ["EPIPE", "BrokenPipe"],
  ["ERR_SOCKET_BAD_PORT", "AddressNotAvailable"],
  ["ERR_SOCKET_CLOSED", "Closed"],
  ["ERR_SOCKET_CONNECTION_TIMEOUT", "TimedOut"],
  ["ERR_STREAM_DESTROYED", "Closed"],
  ["ERR_STREAM_WRITE_AFTER_END", "Closed"],
  ["ETIMEDOUT", "TimedOut"],
  ["EMFILE", "Unknown"],
  ["constructor", "Unknown"],
  ["__proto__", "Unknown"],
  [undefined, "Unknown"]
]

const operations = ["accept", "connect", "listen", "read", "write"] as const

describe("what Node says of a socket", () => {
  it.each(table)("%s is %s", (code, reason) => {
    for (const operation of operations) {
      const cause = Object.assign(new Error("connect 127.0.0.1:80"), code === undefined ? {} : { code })
      const error = fromSystemError(cause, operation)
      assert.instanceOf(error, TransportError)
      assert.deepStrictEqual([error.reason, error.operation, error.cause], [reason, operation, cause])
      assert.isTrue(error.detail.startsWith("connect 127.0.0.1:80"))
      assert.isTrue(error.message.startsWith(`${reason} on ${operation}: `))
    }
  })

  it("has a hint where one helps, when an address was asked for", () => {
    const detailOf = (code: string, operation: TransportError["operation"]) =>
      fromSystemError(Object.assign(new Error("no"), { code }), operation).detail
    assert.strictEqual(detailOf("EADDRINUSE", "listen"), "no; port 0 takes a free one")
    assert.strictEqual(detailOf("ECONNREFUSED", "connect"), "no; nobody listens there")
    assert.strictEqual(
      detailOf("EACCES", "listen"),
      "no; ports below 1024 need a privilege, and a unix socket the right to write to it or its directory"
    )
    assert.strictEqual(detailOf("ENOENT", "connect"), "no; nobody listens there")
    assert.strictEqual(detailOf("EPROTO", "connect"), "no; the peer may not speak TLS, or none of what is offered")
    assert.strictEqual(
      detailOf("CERT_HAS_EXPIRED", "connect"),
      "no; the option `ca` of the TLS client says whom to trust"
    )
    assert.strictEqual(detailOf("EACCES", "write"), "no")
    assert.strictEqual(detailOf("ECONNRESET", "read"), "no")
  })
})
