/** The corpus: one folder for each target, one small file in hex for each input. */
import { createHash } from "node:crypto"
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { hex, toHex } from "../support/bytes.js"

export interface Entry {
  readonly name: string
  readonly input: Uint8Array
}

const folderOf = (target: string): string => fileURLToPath(new URL(`corpus/${target}/`, import.meta.url))

/** What an input is called by: the beginning of its SHA-256. */
const idOf = (input: Uint8Array): string => createHash("sha256").update(input).digest("hex").slice(0, 12)

const regression = "regression-"

/** In the order of their names. */
export const read = (target: string): ReadonlyArray<Entry> => {
  const folder = folderOf(target)
  mkdirSync(folder, { recursive: true })
  return readdirSync(folder)
    .filter((name) => name.endsWith(".hex"))
    .sort()
    .map((name) => ({ name, input: hex(readFileSync(`${folder}${name}`, "utf8")) }))
}

const write = (target: string, name: string, input: Uint8Array): string => {
  const lines = toHex(input).match(/.{1,64}/g) ?? []
  writeFileSync(`${folderOf(target)}${name}`, lines.map((line) => `${line}\n`).join(""))
  return `${target}/${name}`
}

/** Adds an input that broke a law, which stays whatever else is in the corpus. */
export const addRegression = (target: string, input: Uint8Array): string =>
  write(target, `${regression}${idOf(input)}.hex`, input)

/** Writes the corpus anew, but for the regressions. */
export const replace = (target: string, inputs: ReadonlyArray<Uint8Array>): void => {
  for (const { name } of read(target)) if (!name.startsWith(regression)) rmSync(`${folderOf(target)}${name}`)
  for (const input of inputs) write(target, `${idOf(input)}.hex`, input)
}
