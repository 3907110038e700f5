/** The PROXY protocol over TCP, and with HAProxy as the proxy. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { BlockList, isIPv6 } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { transportLaws } from "@sluice/conformance/vitest"
import { Effect, FastCheck, Queue } from "effect"
import { Message, Network, ProxyProtocol, WebSocket, WebSocketClient, WebSocketServer } from "sluice"
import { scenario, urlOf } from "../../sluice/test/suites/host.js"
import { behind, proxying, relaying } from "../../sluice/test/suites/proxying.js"
import { utf8 } from "../../sluice/test/support/bytes.js"
import { eventuallyEffect } from "../../sluice/test/support/turns.js"
import * as NodeNetwork from "../src/NodeNetwork.js"
import { node } from "./support/hosts.js"
import { leavesNoResource, throwsNothing } from "./support/resources.js"

proxying(node)
transportLaws(`${node.name}, each behind a header`, { ...node, network: relaying(node.network) })

describe("ProxyProtocol.isAmong", () => {
  const few = FastCheck.constantFrom(0, 1, 10, 127, 255)
  const quad = FastCheck.tuple(few, few, few, few).map((bytes) => bytes.join("."))
  const groups = FastCheck.array(few, { minLength: 8, maxLength: 8 }).map((all) =>
    all.map((group) => group.toString(16)).join(":")
  )
  const entry = FastCheck.oneof(
    FastCheck.tuple(quad, FastCheck.nat({ max: 32 })),
    FastCheck.tuple(groups, FastCheck.nat({ max: 128 }))
  )
  const host = FastCheck.oneof(
    quad,
    groups,
    quad.map((text) => `::ffff:${text}`)
  )

  /** The network of an address, as the error that refuses the address says it. */
  const networkOf = (address: string, bits: number): string => {
    const text = `${address}/${bits}`
    try {
      ProxyProtocol.isAmong([text])
      return text
    } catch (error) {
      return /its network is (.*)$/.exec(String(error))?.[1] ?? assert.fail(String(error))
    }
  }

  it.prop(
    "agrees with the BlockList of node:net",
    [FastCheck.array(entry, { maxLength: 4 }), host],
    ([entries, host]) => {
      const list = new BlockList()
      for (const [address, bits] of entries) list.addSubnet(address, bits, isIPv6(address) ? "ipv6" : "ipv4")
      // Which takes an address of IPv4 for one of IPv6, too, where the network is wide enough to have the mapped ones.
      FastCheck.pre(isIPv6(host) || entries.every(([address]) => !isIPv6(address)))
      FastCheck.pre(!host.startsWith("::ffff") || entries.every(([address]) => !isIPv6(address)))
      const isAmong = ProxyProtocol.isAmong(entries.map(([address, bits]) => networkOf(address, bits)))
      assert.strictEqual(isAmong({ host, port: 1 }), list.check(host, isIPv6(host) ? "ipv6" : "ipv4"))
    }
  )
})

describe("ProxyProtocol.layer on Node", () => {
  const garbage = ["", "PROXY TCP4 1.2.3.4", "GET / HTTP/1.1\r\n\r\n", "PROXY UNKNOWN\r\n"].map((text) => utf8(text))

  it.effect("leaves no socket and no timer, and throws nothing, whatever comes and however it leaves", () =>
    Effect.gen(function* () {
      const network = yield* Network.Network
      const server = yield* WebSocketServer.serve({}, () => Effect.void)
      for (let at = 0; at < 60; at++) {
        yield* Effect.scoped(
          Effect.gen(function* () {
            const transport = yield* network.connect(server.address)
            yield* Effect.ignore(transport.write(garbage[at % garbage.length]!))
            if (at % 3 === 0) yield* transport.endOfOutput
            if (at % 3 === 1) yield* transport.abort
          })
        )
      }
    }).pipe(Effect.scoped, Effect.provide(behind(node.network)), throwsNothing, leavesNoResource)
  )
})

const hasHaproxy = spawnSync("haproxy", ["-v"]).status === 0

/** Runs until the scope ends; it listens on a port that is free a moment before. */
const haproxy = (service: Network.Address, serverOptions: string, bind = "127.0.0.1") =>
  Effect.gen(function* () {
    const network = yield* Network.Network
    const { address } = yield* Effect.scoped(network.listen({}))
    const folder = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "haproxy-"))),
      (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
    )
    const config = join(folder, "haproxy.cfg")
    writeFileSync(
      config,
      [
        "defaults",
        "  mode tcp",
        "  timeout connect 30s",
        "  timeout client 30s",
        "  timeout server 30s",
        "listen relay",
        `  bind ${bind}:${address.port}${bind === "::" ? " v4v6" : ""}`,
        `  server service ${Network.formatAddress(service)} ${serverOptions}`,
        ""
      ].join("\n")
    )
    yield* Effect.acquireRelease(
      Effect.sync(() => spawn("haproxy", ["-db", "-f", config], { stdio: "ignore" })),
      ended
    )
    const answers = Effect.match(Effect.scoped(network.connect(address)), {
      onFailure: () => false,
      onSuccess: () => true
    })
    yield* eventuallyEffect("HAProxy listens", answers)
    return address
  })

const ended = (child: ChildProcess) =>
  Effect.async<void>((resume) => {
    if (child.exitCode !== null || child.signalCode !== null) return resume(Effect.void)
    child.once("exit", () => resume(Effect.void))
    child.kill("SIGKILL")
  })

describe.skipIf(!hasHaproxy)("behind HAProxy (skipped where there is none; the Debian package is haproxy)", () => {
  const test = scenario({ ...node, network: behind(NodeNetwork.layer()) })

  const variants: ReadonlyArray<readonly [serverOptions: string, bind: string, host: string]> = [
    ["send-proxy", "127.0.0.1", "127.0.0.1"],
    ["send-proxy-v2", "127.0.0.1", "127.0.0.1"],
    ["send-proxy-v2 proxy-v2-options crc32c,unique-id", "127.0.0.1", "127.0.0.1"],
    // A listener of both families.
    ["send-proxy", "::", "::ffff:127.0.0.1"],
    ["send-proxy-v2", "::", "::ffff:127.0.0.1"]
  ]
  for (const [serverOptions, bind, host] of variants) {
    test(
      `${serverOptions}, bound to ${bind}: a service sees the client, and messages pass`,
      Effect.gen(function* () {
        const seen = yield* Queue.unbounded<Network.Address>()
        const server = yield* WebSocketServer.serve({}, (socket, { remote }) =>
          Effect.zipRight(
            Queue.offer(seen, remote),
            WebSocket.runForEach(socket, (message) => socket.send(message))
          )
        )
        const proxy = yield* haproxy(server.address, serverOptions, bind)
        const client = yield* WebSocketClient.connect(urlOf(proxy))
        yield* client.send("hello")
        assert.deepStrictEqual(yield* client.take, [Message.text("hello")])
        assert.strictEqual((yield* Queue.take(seen)).host, host)
      })
    )
  }

  test(
    "the port is that of the client",
    Effect.gen(function* () {
      const network = yield* Network.Network
      const listener = yield* network.listen({})
      const proxy = yield* haproxy(listener.address, "send-proxy-v2")
      // What was tried until the proxy was there comes first.
      const client = yield* network.connect(proxy)
      const accepted = yield* Effect.iterate(yield* listener.accept, {
        while: ({ remote }) => remote.port !== client.local.port,
        body: () => listener.accept
      })
      assert.deepStrictEqual(
        { remote: { ...accepted.remote }, local: { ...accepted.local } },
        {
          remote: client.local,
          local: client.remote
        }
      )
    })
  )

  test(
    "a check of the proxy is no connection of a client",
    Effect.gen(function* () {
      const network = yield* Network.Network
      const listener = yield* network.listen({})
      yield* haproxy(listener.address, "send-proxy-v2 check inter 100ms")
      const accepted = yield* listener.accept
      assert.strictEqual(accepted.local.port, listener.address.port)
    })
  )
})
