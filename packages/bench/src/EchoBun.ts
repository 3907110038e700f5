/** The server that the load generator measures, on Bun: see `Echo`. `bun packages/bench/dist/EchoBun.js` */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as BunNetwork from "@sluice/bun/BunNetwork"
import * as Effect from "effect/Effect"
import { program } from "./Echo.js"

NodeRuntime.runMain(Effect.provide(program, BunNetwork.layer()))
