/**
 * The file of a unix socket: its name, its permissions, and what is left of one that nobody listens on any more.
 */
import * as Fs from "node:fs"
import { isMainThread } from "node:worker_threads"

/** What the kernel takes (`sun_path`, without the NUL at its end); Node cuts off the rest without a word. */
const maxPath = process.platform === "linux" ? 107 : 103

/** @internal Throws as Node does for a port that is none. */
export const checkPath = (path: string): void => {
  const size = Buffer.byteLength(path)
  if (size > 0 && size <= maxPath) return
  const message = `the path of a unix socket has 1 to ${maxPath} bytes; ${path} has ${size}`
  throw Object.assign(new RangeError(message), { code: "ENAMETOOLONG" })
}

/** @internal Runs what binds the socket, which then has these permissions from the start. */
export const withMode = (path: string, mode: number | undefined, bind: () => void): void => {
  const before = mode !== undefined && isMainThread ? process.umask(0o777 & ~mode) : undefined
  try {
    bind()
  } finally {
    if (before !== undefined) process.umask(before)
  }
  // A worker may not set the mask of its process: for a moment the permissions are those of a new file.
  if (mode !== undefined && before === undefined) Fs.chmodSync(path, mode)
}

/** @internal Removes the file of a socket; `false` if it is something else, or cannot be removed. */
export const remove = (path: string): boolean => {
  try {
    if (!Fs.lstatSync(path).isSocket()) return false
    Fs.unlinkSync(path)
    return true
  } catch {
    return false
  }
}
