/** The peers: what they are, how they are had, how they are started, and what they can do. */
import { spawnSync } from "node:child_process"
import { existsSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { Effect, Exit, Scope } from "effect"
import { afterAll } from "vitest"
import type { Launch } from "./support/browser.js"
import * as chromium from "./support/chromium.js"
import type { Abilities } from "./support/dialogue.js"
import * as firefox from "./support/firefox.js"
import { debian, type Needs, npm } from "./support/needs.js"
import { type Command, type Ended, fileOf, folder, root, run } from "./support/program.js"
import { haproxy, nginx, type ReverseProxy } from "./support/reverseProxy.js"

export interface Peer {
  readonly name: string
  readonly needs: Needs
  /** Its client; the URL of our server, without a path, and the sizes of messages come behind. */
  readonly client?: Effect.Effect<Command, Ended, Scope.Scope>
  /** Its server. */
  readonly server?: Effect.Effect<Command, Ended, Scope.Scope>
  /** What its client can do that not all can. */
  readonly can: Abilities
  /** Whether its server can send a message in fragments. */
  readonly serverFragments: boolean
}

/** Without the warnings that a part of it is old, which would be among what it says. */
const python = (file: string) => Effect.succeed({ words: ["/usr/bin/python3", "-W", "ignore", fileOf(file)] })

/** npm may have brought builds for other machines, too. */
const bunBuilds = join(root, "node_modules/@oven")
const bun = (existsSync(bunBuilds) ? readdirSync(bunBuilds) : [])
  .map((name) => `node_modules/@oven/${name}/bin/bun`)
  .find((path) => spawnSync(join(root, path), ["--version"]).status === 0)
const needsBun = npm(bun ?? "node_modules/@oven/*/bin/bun")
const onBun = (file: string) => Effect.succeed({ words: [...needsBun.files, fileOf(file)] })

/** Ends with the tests of the file that imports this. */
const scope = Effect.runSync(Scope.make())
afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))

/** The program is built once, when somebody wants it. */
const built = Effect.runSync(
  Effect.cached(
    Effect.gen(function* () {
      const program = join(yield* Scope.extend(folder, scope), "gorilla")
      const env = { GO111MODULE: "off", GOPATH: "/usr/share/gocode", GOCACHE: join(root, "node_modules/.cache/go") }
      yield* run({ words: ["/usr/bin/go", "build", "-o", program, fileOf("gorilla.go")], env })
      return program
    })
  )
)

const gorilla = (role: "client" | "server") => Effect.map(built, (program) => ({ words: [program, role] }))

export const peers: ReadonlyArray<Peer> = [
  {
    name: "undici",
    needs: npm("node_modules/undici/package.json"),
    client: Effect.succeed({ words: [process.execPath, "--import", "tsx", fileOf("webClient.ts")] }),
    can: { ping: false, sendFragments: false, deflate: true, status: false, echoesCode: true },
    serverFragments: false
  },
  {
    name: "Bun",
    needs: needsBun,
    client: onBun("webClient.ts"),
    server: onBun("bunServer.ts"),
    can: { ping: false, sendFragments: false, deflate: true, status: false, echoesCode: true },
    serverFragments: false
  },
  {
    name: "websockets of Python",
    needs: debian("python3-websockets", "/usr/bin/python3", "/usr/lib/python3/dist-packages/websockets"),
    client: python("websockets_client.py"),
    server: python("websockets_server.py"),
    can: { ping: true, sendFragments: true, deflate: true, status: true, echoesCode: true },
    serverFragments: true
  },
  {
    name: "aiohttp of Python",
    needs: debian("python3-aiohttp", "/usr/bin/python3", "/usr/lib/python3/dist-packages/aiohttp"),
    client: python("aiohttp_client.py"),
    server: python("aiohttp_server.py"),
    can: { ping: true, sendFragments: false, deflate: true, status: true, echoesCode: false },
    serverFragments: false
  },
  {
    name: "gorilla/websocket of Go",
    needs: debian(
      "golang-go golang-github-gorilla-websocket-dev",
      "/usr/bin/go",
      "/usr/share/gocode/src/github.com/gorilla/websocket"
    ),
    client: gorilla("client"),
    server: gorilla("server"),
    can: { ping: true, sendFragments: true, deflate: true, status: true, echoesCode: true },
    serverFragments: true
  }
]

/** The test programs of libwebsockets, which speak subprotocols of their own. */
export const libwebsockets = {
  server: "/usr/bin/libwebsockets-test-server",
  client: "/usr/bin/libwebsockets-test-client",
  needs: debian("libwebsockets-test-server", "/usr/bin/libwebsockets-test-server", "/usr/bin/libwebsockets-test-client")
}

export interface Browser {
  readonly name: string
  readonly needs: ReadonlyArray<Needs>
  readonly launch: Launch
  readonly can: Abilities
}

const page: Abilities = { ping: false, sendFragments: false, deflate: true, status: false, echoesCode: true }

export const browsers: ReadonlyArray<Browser> = [
  {
    name: "Chromium",
    needs: [debian("chromium", chromium.executable), npm("node_modules/playwright-core/package.json")],
    launch: chromium.launch,
    can: page
  },
  { name: "Firefox", needs: [debian("firefox-esr", firefox.executable)], launch: firefox.launch, can: page }
]

export interface Proxy {
  readonly name: string
  readonly needs: Needs
  readonly before: ReverseProxy
}

export const proxies: ReadonlyArray<Proxy> = [
  { name: "nginx", needs: debian("nginx-light", "/usr/sbin/nginx"), before: nginx },
  { name: "HAProxy", needs: debian("haproxy", "/usr/sbin/haproxy"), before: haproxy }
]

/** All that is needed for all of them. */
export const allNeeds: ReadonlyArray<Needs> = [
  ...peers.map(({ needs }) => needs),
  libwebsockets.needs,
  ...browsers.flatMap(({ needs }) => needs),
  ...proxies.map(({ needs }) => needs)
]
