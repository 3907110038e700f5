import { report } from "./handshake.js"

// Nothing to run and nothing to provide: it is all values.
console.log(report)
