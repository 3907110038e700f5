/** Who is measured: sluice, the libraries beside it, and any other server that is named on the command line. */
import { existsSync, readdirSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import * as Effect from "effect/Effect"
import * as Child from "./Child.js"
import * as Toolchain from "./Toolchain.js"

export interface Peer {
  readonly name: string
  readonly title: string
  /** For `sh -c exec`. */
  readonly command: string
  readonly env: Readonly<Record<string, string>>
  /** It gives bytes back and knows no WebSocket. */
  readonly isRaw: boolean
  /** It is among those whose cost is measured over numbers of connections and sizes. */
  readonly isCurve: boolean
  /** Why it cannot be measured here. */
  readonly missing: string | undefined
}

const require = createRequire(import.meta.url)

/** The folder of an installed package. */
const folderOf = (name: string): string | undefined => {
  try {
    return dirname(require.resolve(`${name}/package.json`))
  } catch {
    return undefined
  }
}

const withoutAddOn = { WS_NO_BUFFER_UTIL: "1" }

const missingUws = () => {
  const folder = folderOf("@trufflesuite/uws-js-unofficial")
  if (folder === undefined) return "@trufflesuite/uws-js-unofficial is not installed"
  const native = `uws_${process.platform}_${process.arch}_${process.versions.modules}.node`
  return existsSync(join(folder, "binaries", native)) ? undefined : `there is no ${native} in it for this Node`
}

const missingBufferutil = () => (folderOf("bufferutil") === undefined ? "bufferutil is not installed" : undefined)

/** The builds of Bun that npm has put beside its package, and the one on the path. */
const buns = (): ReadonlyArray<string> => {
  const packages = folderOf("bun")
  const oven = packages === undefined ? undefined : join(packages, "../@oven")
  const builds =
    oven === undefined || !existsSync(oven) ? [] : readdirSync(oven).map((name) => join(oven, name, "bin/bun"))
  const onPath = Toolchain.find("bun")
  return [...builds, ...(onPath === undefined ? [] : [onPath])]
}

/** The first that runs on this machine: there may be builds for other ones. */
const findBun = Effect.firstSuccessOf([
  Effect.fail(new Child.ChildError({ reason: "none" })),
  ...buns().map((path) => Effect.as(Child.run([path, "--version"]), path))
]).pipe(Effect.orElseSucceed(() => undefined))

const quote = (path: string) => `'${path}'`

/** All that can be named. A peer that runs on another host is a line more. */
export const builtIn: Effect.Effect<ReadonlyArray<Peer>, never, Toolchain.Toolchain> = Effect.gen(function* () {
  const { program } = yield* Toolchain.Toolchain
  const bun = yield* findBun
  const onNode = (name: Toolchain.Program) => `${quote(process.execPath)} --expose-gc ${quote(program(name))}`
  const onBun = (name: Toolchain.Program) => `${quote(bun ?? "bun")} ${quote(program(name))}`
  const missingBun = bun === undefined ? "there is no Bun that runs" : undefined
  const peer = (name: string, title: string, command: string, more: Partial<Peer> = {}): Peer => ({
    ...{ name, title, command, env: {}, isRaw: false, isCurve: false, missing: undefined },
    ...more
  })
  return [
    peer("sluice", "sluice (Node)", onNode("sluice"), { isCurve: true }),
    peer("sluice-bundled", "sluice, bundled", onNode("sluiceBundled")),
    peer("ws", "ws", onNode("ws"), { env: withoutAddOn, isCurve: true }),
    peer("ws+bufferutil", "ws + bufferutil", onNode("ws"), { missing: missingBufferutil() }),
    peer("uws", "uWebSockets.js", onNode("uws"), { missing: missingUws(), isCurve: true }),
    peer("bun", "Bun native", onBun("bun"), { missing: missingBun }),
    peer("sluice-bun", "sluice (Bun)", onBun("sluiceBun"), { missing: missingBun }),
    peer("ws-bun", "ws on Bun", onBun("ws"), { missing: missingBun }),
    peer("effect-platform", "@effect/platform-node", onNode("effectPlatform"), { env: withoutAddOn }),
    peer("net", "net, no WebSocket", onNode("rawNet"), { isRaw: true })
  ]
})

/** A server of somebody else. */
export const outside = (name: string, command: string): Peer => ({
  ...{ name, title: name, command, env: {}, isRaw: false, isCurve: true, missing: undefined }
})
