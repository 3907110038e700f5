/** The peers: what they are, how they are had, how they are started, and what they can do. */
import { existsSync, readdirSync } from "node:fs"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { Effect, type Scope } from "effect"
import type { Abilities } from "./support/dialogue.js"
import { debian, type Needs, npm } from "./support/needs.js"
import { type Command, type Ended, fileOf, folder, root, run, startOnFreePort } from "./support/program.js"

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

const python = (file: string) => Effect.succeed({ words: ["/usr/bin/python3", fileOf(file)] })

const builds = join(root, "node_modules/@oven")
const bun = existsSync(builds)
  ? readdirSync(builds)
      .map((name) => `${builds}/${name}/bin/bun`)
      .find(existsSync)
  : undefined
const onBun = (file: string) => Effect.succeed({ words: [bun ?? "bun", fileOf(file)] })

const gorilla = (...args: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const program = join(yield* folder, "gorilla")
    const env = { GO111MODULE: "off", GOPATH: "/usr/share/gocode", GOCACHE: join(root, "node_modules/.cache/go") }
    yield* run({ words: ["/usr/bin/go", "build", "-o", program, fileOf("gorilla.go")], env })
    return { words: [program, ...args] }
  })

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
    needs: npm("node_modules/@oven"),
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

// ----------------------------------------------------------------------------------------------------------- proxies

/** A reverse proxy in front of a server. */
export interface Proxy {
  readonly name: string
  readonly needs: Needs
  /** The port of the proxy. */
  readonly before: (upstream: number) => Effect.Effect<number, Ended, Scope.Scope>
}

const nginxConf = (port: number, upstream: number): string => `
daemon off;
pid pid;
error_log stderr notice;
events {}
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://127.0.0.1:${upstream};
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection upgrade;
    }
  }
}
`

const haproxyConf = (port: number, upstream: number): string => `
defaults
  mode http
  timeout connect 10s
  timeout client 60s
  timeout server 60s
  timeout tunnel 1h
listen proxy
  bind 127.0.0.1:${port}
  server sluice 127.0.0.1:${upstream}
`

/** A file in a folder of its own. */
const written = (name: string, content: string) =>
  Effect.flatMap(folder, (path) =>
    Effect.as(
      Effect.promise(() => writeFile(join(path, name), content)),
      path
    )
  )

export const proxies: ReadonlyArray<Proxy> = [
  {
    name: "nginx",
    needs: debian("nginx-light", "/usr/sbin/nginx"),
    before: (upstream) =>
      startOnFreePort(
        (port) =>
          Effect.map(written("nginx.conf", nginxConf(port, upstream)), (path) => ({
            words: ["/usr/sbin/nginx", "-e", "stderr", "-p", path, "-c", "nginx.conf"]
          })),
        /start worker process /
      )
  },
  {
    name: "HAProxy",
    needs: debian("haproxy", "/usr/sbin/haproxy"),
    before: (upstream) =>
      startOnFreePort(
        (port) =>
          Effect.map(written("haproxy.cfg", haproxyConf(port, upstream)), (path) => ({
            words: ["/usr/sbin/haproxy", "-W", "-db", "-f", join(path, "haproxy.cfg")]
          })),
        /Loading success/
      )
  }
]
