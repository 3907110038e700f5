/** The same network of Node over TLS, and over unix sockets. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Host } from "../../../sluice/test/suites/host.js"
import * as Certificates from "../../../sluice/test/support/certificates.js"
import { onUnixSockets, withTls } from "../../../sluice/test/support/networks.js"
import * as NodeNetwork from "../../src/NodeNetwork.js"
import { node } from "./hosts.js"

const certified = { server: Certificates.server, client: { ca: Certificates.ca } }

/** All over TLS. */
export const tls: Host = { ...node, name: "node with TLS", network: withTls(NodeNetwork.layer({ tls: certified })) }

const directory = mkdtempSync(join(tmpdir(), "sluice-"))

let sockets = 0

/** A path that nobody has had before, in a directory that goes when the process does. */
export const freshPath = (): string => join(directory, `${sockets++}.sock`)

process.once("exit", () => rmSync(directory, { recursive: true, force: true }))

/** All over unix sockets. */
export const unix: Host = {
  ...node,
  name: "node with unix sockets",
  network: onUnixSockets(NodeNetwork.layer(), freshPath),
  hasResets: false
}
