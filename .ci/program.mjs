// Runs a program until it prints a line that matches, does something with it, stops it with SIGTERM, wants status 0.
import { spawn } from "node:child_process"
import { once } from "node:events"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../", import.meta.url))
const stopTimeout = 15_000

/**
 * @template A
 * @param {string} what
 * @param {number} millis
 * @param {Promise<A>} promise
 * @returns {Promise<A>}
 */
const within = async (what, millis, promise) => {
  /** @type {NodeJS.Timeout | undefined} */
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not within ${millis / 1000} s`)), millis)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

/**
 * @param {readonly [command: string, ...args: Array<string>]} words
 * @param {{ readonly ready: RegExp, readonly startTimeout: number }} options
 * @param {(match: RegExpExecArray) => Promise<void>} use
 */
export const program = async ([command, ...args], { ready, startTimeout }, use) => {
  const name = [command, ...args].join(" ")
  // a port of the system's choice, so that two runs do not meet
  const env = { ...process.env, PORT: "0" }
  // a group of its own, so that nothing that npm started is left behind when this fails
  const child = spawn(command, args, { cwd: root, env, stdio: ["ignore", "pipe", "inherit"], detached: true })
  const exit = once(child, "exit")

  const line = new Promise((/** @type {(match: RegExpExecArray) => void} */ resolve, reject) => {
    const lines = createInterface({ input: child.stdout })
    lines.on("line", (line) => {
      console.log(`  ${line}`)
      const match = ready.exec(line)
      if (match !== null) resolve(match)
    })
    lines.on("close", () => reject(new Error(`${name} ended before it was ready`)))
  })

  try {
    await within(`the start of ${name}`, startTimeout, line.then(use))
    child.kill("SIGTERM")
    const [code, signal] = await within(`the end of ${name}`, stopTimeout, exit)
    if (code !== 0) throw new Error(`${name} ended with ${code ?? signal}, not with 0`)
    console.log(`stopped ${name}: exit status 0`)
  } finally {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
      process.kill(-child.pid, "SIGKILL")
    }
  }
}
