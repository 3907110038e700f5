/** All targets, the quick ones first. */
import type { Target } from "./target.js"
import { connection } from "./targets/connection.js"
import { frames } from "./targets/frames.js"
import { grammar } from "./targets/grammar.js"
import { handshake } from "./targets/handshake.js"
import { head } from "./targets/head.js"
import { proxy } from "./targets/proxy.js"

export const targets: ReadonlyArray<Target> = [head, proxy, frames, grammar, handshake, connection]
