/** What every measured server has in common: where it listens, and what it says once it does. */

export const host = "127.0.0.1"

export const port = Number(process.env.PORT ?? 9000)

/** The largest message that is measured has 16 MiB. */
export const maxMessage = 64 * 1024 * 1024

/** Connections that wait to be accepted: thousands are opened at once. */
export const backlog = 4096

/** Collects garbage and prints the memory in use, on SIGUSR2; says that the server can be measured. */
export const ready = (collect: () => void = () => globalThis.gc?.()): void => {
  process.on("SIGUSR2", () => {
    collect()
    collect()
    console.log(`gc ${JSON.stringify(process.memoryUsage())}`)
  })
  console.log("ready gc=SIGUSR2")
}
