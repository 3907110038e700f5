// Runs beside the installed packages: imports each by its name, and each of its modules by theirs.
import assert from "node:assert/strict"

/** @type {Record<string, ReadonlyArray<string>>} */
const promised = JSON.parse(process.argv[2] ?? "{}")

for (const [name, modules] of Object.entries(promised)) {
  const all = await import(name)
  assert.deepEqual(Object.keys(all), [...modules].sort(), `what ${name} exports`)
  for (const module of modules) {
    assert.ok(Object.keys(await import(`${name}/${module}`)).length > 0, `${name}/${module} exports nothing`)
  }
  await assert.rejects(import(`${name}/internal/webPlatform`), `${name} hides its internal modules`)
  console.log(`${name}: ${modules.length} modules`)
}

// One message there and back, from the installed packages.
const { Effect } = await import("effect")
const { MemoryNetwork, Network, WebSocket, WebSocketClient, WebSocketServer } = await import("sluice")

const echoed = Effect.gen(function* () {
  const server = yield* WebSocketServer.serve({}, (socket) => WebSocket.runForEach(socket, socket.send))
  const client = yield* WebSocketClient.connect(`ws://${Network.formatAddress(server.address)}/`)
  yield* client.send("there and back")
  return yield* client.take
})
assert.deepEqual(await Effect.runPromise(Effect.scoped(Effect.provide(echoed, MemoryNetwork.layer()))), [
  { _tag: "Text", text: "there and back" }
])
console.log("an echo in memory")

// The same message, simulated.
if ("@sluice/sim" in promised) {
  const { Simulation } = await import("@sluice/sim")
  const { exit, failure, hash } = Simulation.run(echoed, { seed: 1 })
  assert.equal(failure, undefined)
  assert.equal(exit?._tag, "Success")
  console.log(`an echo in a simulation, ${hash}`)
}
