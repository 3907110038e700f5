/** The server that the load generator measures, on Node.js: see `Echo`. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeNetwork from "@sluice/node/NodeNetwork"
import * as Effect from "effect/Effect"
import { program } from "./Echo.js"

NodeRuntime.runMain(Effect.provide(program, NodeNetwork.layer()))
