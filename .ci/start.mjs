// npm start: installs when needed, then runs the chat example until it is told to stop.
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import "./install.mjs"

const root = fileURLToPath(new URL("../", import.meta.url))
const program = ["--conditions=source", "--import", "tsx", "examples/chat/main.ts"]
const child = spawn(process.execPath, program, { cwd: root, stdio: "inherit" })

// A terminal interrupts every process of its group, the child too; a SIGTERM reaches this process only.
process.on("SIGINT", () => {})
process.on("SIGTERM", () => child.kill("SIGTERM"))
child.on("exit", (code) => {
  process.exitCode = code ?? 1
})
