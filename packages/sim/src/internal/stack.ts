/**
 * Where in the program something happens, for a person.
 */

const library =
  /node_modules[\\/]effect[\\/]|[\\/]packages[\\/]sim[\\/](?:src|dist)[\\/]|@sluice[\\/]sim[\\/]dist|node:internal|native:/

/** A path as one would type it: relative to the folder of the process where it is below it. */
const shorten = (frame: string): string =>
  frame
    .replaceAll("file://", "")
    .replaceAll(`${globalThis.process.cwd()}/`, "")
    .replace(/^\s*at /, "")
    .trim()

const stackNow = (): ReadonlyArray<string> => {
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 64
  const { stack = "" } = new Error()
  Error.stackTraceLimit = limit
  return stack.split("\n").slice(1)
}

/** @internal Whether the caller prints. */
export const isPrinting = (): boolean => stackNow().some((frame) => frame.includes("node:internal/console/"))

/** @internal The frames of the caller, the innermost first, without those of Effect and of this package. */
export const frames = (): ReadonlyArray<string> =>
  stackNow()
    .filter((frame) => !library.test(frame) && !/<anonymous>\)?$|^\s*at native/.test(frame))
    .map(shorten)
