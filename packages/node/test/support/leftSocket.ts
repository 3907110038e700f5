/** The file of a unix socket that a process has left behind. */
import { spawn } from "node:child_process"
import { Effect } from "effect"

const program = (path: string) =>
  `require("node:net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`

export const left = (path: string): Effect.Effect<void> =>
  Effect.async((resume) => {
    spawn(process.execPath, ["--eval", program(path)], { stdio: "ignore" }).once("exit", () => resume(Effect.void))
  })
