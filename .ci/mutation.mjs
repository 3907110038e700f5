// npm run mutation: changes the pure core of sluice in one place at a time and sees whether a test fails.
// Takes the names of rooms, all by default; packages/sluice/MUTATION.md says what came out.
import { setPriority } from "node:os"
import { Stryker } from "@stryker-mutator/core"

/** The modules of each room: the public one, and what is inside only to make it. */
const rooms = {
  Frame: "Frame, framePart, frameHeader, frameError, masking",
  Message: "Message, assembly, accumulator, utf8, message",
  Http1: "Http1, headScanner, headError",
  Protocol: "Protocol, closePayload",
  Handshake: [
    "Handshake, handshakeState, offerFields, openingRequest, origin, requestRules, requestError, switchingResponse",
    "invalidResponse, responseBody, authority, reply, upgradeRequest"
  ].join(", "),
  Upgrade: "Upgrade, upgradeState, redirection, redirectError"
}

/** Of a hundred mutants that a test can reach at all, this many must not live. */
const least = 85

const asked = process.argv.slice(2)
const unknown = asked.filter((name) => !(name in rooms))
if (unknown.length > 0) {
  console.error(`no such room: ${unknown.join(", ")}; there are ${Object.keys(rooms).join(", ")}`)
  process.exit(1)
}
// It takes all cores for an hour: whatever else runs here goes first.
setPriority(15)

/** @type {Array<string>} */
const lines = []
for (const [room, modules] of Object.entries(rooms)) {
  if (asked.length > 0 && !asked.includes(room)) continue
  // read by .ci/vitest.mutation.mjs
  process.env.ROOM = room
  const started = performance.now()
  const mutants = await new Stryker({
    configFile: ".ci/stryker.config.mjs",
    mutate: modules
      .split(", ")
      .map((name) => `packages/sluice/src/${/^[A-Z]/.test(name) ? name : `internal/${name}`}.ts`),
    jsonReporter: { fileName: `coverage/mutation/${room}.json` },
    htmlReporter: { fileName: `coverage/mutation/${room}.html` }
  }).runMutationTest()
  /** @param {ReadonlyArray<string>} statuses */
  const count = (...statuses) => mutants.filter(({ status }) => statuses.includes(status)).length
  const killed = count("Killed", "Timeout")
  const valid = killed + count("Survived", "NoCoverage")
  const score = (100 * killed) / valid
  for (const { fileName, location, mutatorName, replacement, status } of mutants) {
    if (status !== "Survived" && status !== "NoCoverage") continue
    const file = fileName.slice(fileName.lastIndexOf("/") + 1)
    console.log(`${file}:${location.start.line}:${location.start.column} ${status} ${mutatorName}: ${replacement}`)
  }
  const minutes = ((performance.now() - started) / 60_000).toFixed(1)
  lines.push(
    `${room}: ${score.toFixed(1)} % (${killed} of ${valid}, ${count("Timeout")} by timeout), ${minutes} minutes` +
      (score < least ? `, less than ${least} %` : "")
  )
  if (!(score >= least)) process.exitCode = 1
}
console.log(`\n${lines.join("\n")}`)
