// Starts what `npm run build` made, with plain Node.js: no loader, no condition.
import { program } from "./program.mjs"

await program(["node", "packages/bench/dist/EchoNode.js"], { ready: /^ready/, startTimeout: 15_000 }, async () => {})
