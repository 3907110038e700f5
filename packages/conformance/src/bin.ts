#!/usr/bin/env node
/** The program `conformance`. */
import { fileURLToPath } from "node:url"
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { main } from "./internal/cli.js"

const Manifest = Schema.parseJson(Schema.Struct({ version: Schema.String }))

const program = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const text = yield* fs.readFileString(fileURLToPath(new URL("../package.json", import.meta.url)))
  const { version } = yield* Schema.decode(Manifest)(text)
  const status = yield* main(process.argv.slice(2), version)
  // Not an exit: what was printed may still have to be written.
  yield* Effect.sync(() => {
    process.exitCode = status
  })
})

NodeRuntime.runMain(Effect.provide(program, NodeContext.layer))
