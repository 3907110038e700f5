import { spawn } from "node:child_process"
import { once } from "node:events"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { WebSocket } from "ws"

const root = fileURLToPath(new URL("../../", import.meta.url))

/** Starts an example as a user does, and waits for the address that it prints. */
const start = async (example: string, address: RegExp) => {
  const program = spawn(process.execPath, ["--conditions=source", "--import", "tsx", `examples/${example}/main.ts`], {
    cwd: root,
    env: { ...process.env, PORT: "0" },
    stdio: ["ignore", "pipe", "inherit"]
  })
  const exit = once(program, "exit")
  const lines: Array<string> = []
  const found = await new Promise<string>((resolve, reject) => {
    createInterface({ input: program.stdout }).on("line", (line) => {
      lines.push(line)
      const [, found] = address.exec(line) ?? []
      if (found !== undefined) resolve(found)
    })
    exit.then(() => reject(new Error(`${example} ended before it printed its address`)), reject)
  })
  return { found, lines, exit, stop: () => program.kill("SIGTERM"), kill: () => program.kill("SIGKILL") }
}

describe("the programs", () => {
  it("chat: tells everybody to leave, and ends with 0", { timeout: 90_000 }, async () => {
    const { exit, found, kill, stop } = await start("chat", /http:\/\/(127\.0\.0\.1:\d+)/)
    try {
      const socket = new WebSocket(`ws://${found}/chat`, "chat.v1")
      const closed = once(socket, "close")
      const [message] = await once(socket, "message")
      assert.strictEqual(JSON.parse(String(message))._tag, "Hello")
      assert.strictEqual(socket.protocol, "chat.v1")
      stop()
      assert.strictEqual((await closed)[0], 1001)
      assert.deepStrictEqual(await exit, [0, null])
    } finally {
      kill()
    }
  })

  it("echo: sends back what it gets, and ends with 0", { timeout: 90_000 }, async () => {
    const { exit, found, kill, stop } = await start("echo", /(ws:\/\/127\.0\.0\.1:\d+)/)
    try {
      const socket = new WebSocket(found)
      await once(socket, "open")
      socket.send("Hello")
      const [message] = await once(socket, "message")
      assert.strictEqual(String(message), "Hello")
      stop()
      assert.deepStrictEqual(await exit, [0, null])
    } finally {
      kill()
    }
  })

  it("operations: is not ready once it drains, and says how many left how", { timeout: 90_000 }, async () => {
    const { exit, found, kill, lines, stop } = await start("operations", /ws:\/\/(127\.0\.0\.1:\d+)/)
    const get = async (path: string) => {
      const response = await fetch(`http://${found}${path}`)
      return [response.status, await response.text()] as const
    }
    try {
      const polite = new WebSocket(`ws://${found}/?trace`)
      await once(polite, "message")
      assert.deepStrictEqual(await get("/ready"), [200, "Serving\n"])
      const heard: Array<string> = []
      polite.on("message", (message) => heard.push(String(message)))
      const closed = once(polite, "close")
      stop()
      assert.deepStrictEqual([(await closed)[0], heard.at(-1)], [1000, "goodbye"])
      assert.deepStrictEqual(await exit, [0, null])
      const log = lines.join("\n")
      assert.match(log, /message="connection opened" .*connection=1/)
      assert.match(log, /message="sent Text, \d+ bytes".* connection=1/)
      assert.match(log, /message="connection closed" .*code=1000/)
    } finally {
      kill()
    }
  })

  it("operations: counts, and resets who does not answer", { timeout: 90_000 }, async () => {
    const { exit, found, kill, lines, stop } = await start("operations", /ws:\/\/(127\.0\.0\.1:\d+)/)
    try {
      const socket = new WebSocket(`ws://${found}/`)
      await once(socket, "message")
      const response = await fetch(`http://${found}/metrics`)
      assert.match(await response.text(), /^sluice_connections_open\{role="server"\} 1$/m)
      // It does not answer the Close frame, nor anything else.
      socket.pause()
      stop()
      assert.deepStrictEqual(await exit, [0, null])
      const said = lines.find((line) => line.includes("The server was drained")) ?? ""
      assert.match(said, /connections=1/)
      assert.match(said, /aborted=1/)
    } finally {
      kill()
    }
  })
})
