import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect } from "effect"
import { transcript } from "./memory.js"

NodeRuntime.runMain(Effect.flatMap(transcript, (lines) => Console.log(lines.join("\n"))))
