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
  for await (const line of createInterface({ input: program.stdout })) {
    const [, found] = address.exec(line) ?? []
    if (found !== undefined)
      return { found, exit, stop: () => program.kill("SIGTERM"), kill: () => program.kill("SIGKILL") }
  }
  throw new Error(`${example} ended before it printed its address`)
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
})
