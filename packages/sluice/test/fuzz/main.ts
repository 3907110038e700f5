/**
 * Fuzzes for long: `npm run fuzz -- --target head --inputs 1000000 --seed 1`. See FUZZING.md.
 *
 * What is loaded from here on counts its branches, so that nothing of sluice is imported before.
 */
import { register } from "node:module"
import { parseArgs } from "node:util"
import { install } from "./coverage.js"
import type { Options } from "./hooks.js"

const { values } = parseArgs({
  options: {
    target: { type: "string", multiple: true, default: [] },
    inputs: { type: "string", default: "100000" },
    seed: { type: "string", default: "1" },
    input: { type: "string" },
    save: { type: "boolean", default: false }
  }
})

const branches = install()
const data: Options = { isCounting: values.input === undefined }
register(new URL("./hooks.ts", import.meta.url), { data })
const { run, runOne } = await import("./run.js")

const isKept =
  values.input === undefined
    ? run(
        {
          targets: values.target,
          inputs: Number(values.inputs),
          seed: Number(values.seed),
          isSaving: values.save
        },
        branches
      )
    : runOne(values.target, values.input)
if (!isKept) process.exitCode = 1
