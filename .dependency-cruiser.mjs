// What may import what: the direction of the packages, the order of the modules of sluice, no cycles.

/** The order of the modules of sluice: each line imports only from the lines above it, or beside it. */
const order = [
  ["Limits", "CloseCode", "Fields", "Credential"],
  ["Frame", "Http1", "Extension"],
  ["Message", "Upgrade", "Rejection"],
  ["Handshake", "Protocol"],
  // the pure line
  ["Entropy", "EventScheduler", "Ledger", "Network", "WebSocketMetrics"],
  ["MemoryNetwork", "ProxyProtocol", "WebSocket"],
  ["WireTrace", "WebSocketServer", "WebSocketClient"],
  ["Ticket", "SubprotocolToken"]
]
const pureLines = 4

const sluice = "^packages/sluice/src/"
const tests = "^packages/[^/]+/test/"
const adapters = "(?:node|bun|sim|platform|conformance)"
const conformanceProgram = "^packages/conformance/src/(?:bin[.]ts$|internal/cli)"

/** @param {ReadonlyArray<string>} names */
const modules = (names) => `${sluice}(?:${names.join("|")})[.]ts$`

/** @param {string} names */
const effect = (names) => `node_modules/effect/dist/.*/(?:${names})[.](?:js|d[.]ts)$`

const effectful = effect(
  [
    "Effect",
    "Layer",
    "Scope",
    "Clock",
    "Random",
    "Context",
    "Console",
    "DefaultServices",
    "Deferred",
    "Fiber\\w*",
    "Logger",
    "Mailbox",
    "ManagedRuntime",
    "Metric",
    "PubSub",
    "Queue",
    "Ref",
    "Runtime",
    "Schedule\\w*",
    "STM",
    "SubscriptionRef",
    "SynchronizedRef",
    "TestClock"
  ].join("|")
)

/** @type {import("dependency-cruiser").IConfiguration} */
export default {
  forbidden: [
    {
      name: "no-cycles",
      comment: "Two modules that need each other are one module; types count too.",
      severity: "error",
      from: {},
      to: { circular: true }
    },
    {
      name: "resolved",
      comment: "An import that leads nowhere.",
      severity: "error",
      from: {},
      to: { couldNotResolve: true }
    },
    {
      name: "core-imports",
      comment: "sluice runs anywhere: it imports effect and @noble/hashes, nothing of a host.",
      severity: "error",
      from: { path: sluice },
      to: { pathNot: [sluice, "node_modules/effect/", "node_modules/@noble/hashes/"] }
    },
    {
      name: "not-sideways",
      comment: "A transport or a bridge builds on sluice, not on its neighbour.",
      severity: "error",
      from: { path: `^packages/(${adapters})/src/`, pathNot: conformanceProgram },
      to: { path: "^(?:packages|examples|scratchpad)/", pathNot: "^packages/(?:$1|sluice)/src/" }
    },
    {
      name: "conformance-program",
      comment: "The command line of the conformance cases plays them over TCP, so it needs @sluice/node.",
      severity: "error",
      from: { path: conformanceProgram },
      to: { path: "^(?:packages|examples|scratchpad)/", pathNot: "^packages/(?:conformance|sluice|node)/src/" }
    },
    {
      name: "conformance-anywhere",
      comment: "Cases, laws and runner are for any network and any host: beside the program they need effect only.",
      severity: "error",
      from: {
        path: "^packages/conformance/src/",
        pathNot: [conformanceProgram, "^packages/conformance/src/vitest[.]ts$"]
      },
      to: { pathNot: ["^packages/(?:conformance|sluice)/src/", "node_modules/effect/"] }
    },
    {
      name: "conformance-library",
      comment: "Nothing but the program itself needs the modules of the command line.",
      severity: "error",
      from: { path: "^packages/conformance/src/", pathNot: conformanceProgram },
      to: { path: conformanceProgram }
    },
    {
      name: "not-back",
      comment: "No package imports the programs that show it.",
      severity: "error",
      from: { path: "^packages/" },
      to: { path: "^(?:examples|scratchpad)/" }
    },
    {
      name: "by-its-name",
      comment: "A file of another package is imported by the package's name, never by a path.",
      severity: "error",
      from: { path: "^(packages/[^/]+|examples|scratchpad)/", pathNot: tests },
      to: { dependencyTypes: ["local"], pathNot: "^$1/", path: "^(?:packages|examples|scratchpad)/" }
    },
    {
      name: "by-its-name-in-tests",
      comment: "The same for tests, which share the suites that run over every network: those are of no package's API.",
      severity: "error",
      from: { path: "^(packages/[^/]+)/test/" },
      to: {
        dependencyTypes: ["local"],
        pathNot: ["^$1/", "^packages/sluice/test/(?:suites|support)/"],
        path: "^(?:packages|examples|scratchpad)/"
      }
    },
    {
      name: "declared",
      comment: "What a package imports is a dependency of that package.",
      severity: "error",
      from: { path: ["^packages/[^/]+/src/", "^examples/(?!test/)"] },
      // A peer of a package is also a development dependency of the repository.
      to: { dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown"], dependencyTypesNot: ["npm-peer"] }
    },
    {
      name: "no-effect-barrel",
      comment: "A source imports a module of effect, not all of it.",
      severity: "error",
      from: { path: "^packages/[^/]+/src/" },
      to: { path: effect("index") }
    },
    {
      name: "pure",
      comment: "Below the pure line nothing needs a fiber, a scope, a clock or randomness, directly or not.",
      severity: "error",
      from: { path: modules(order.slice(0, pureLines).flat()) },
      to: { path: effectful, reachable: true }
    },
    {
      name: "gate-and-flow",
      comment: "The handshake does not know the frames, and the frames do not know the handshake.",
      severity: "error",
      from: { path: modules(["Fields", "Http1", "Extension", "Upgrade", "Rejection", "Handshake"]) },
      to: { path: modules(["Frame", "Message", "Protocol"]), reachable: true }
    },
    {
      name: "flow-and-gate",
      comment: "The same, the other way round.",
      severity: "error",
      from: { path: modules(["CloseCode", "Frame", "Message", "Protocol"]) },
      to: { path: modules(["Fields", "Http1", "Upgrade", "Rejection", "Handshake"]), reachable: true }
    },
    ...order.slice(0, -1).map((names, line) => ({
      name: `order-${line + 1}`,
      comment: `${names.join(", ")} come before the modules of the lines after theirs.`,
      severity: /** @type {const} */ ("error"),
      from: { path: modules(names) },
      to: { path: modules(order.slice(line + 1).flat()) }
    }))
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.base.json" },
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^packages/[^/]+/dist/" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["source", "import", "node", "default", "types"]
    }
  }
}
