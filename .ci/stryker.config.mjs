// Mutation testing of the pure core; .ci/mutation.mjs says which modules.

/** @type {import("@stryker-mutator/api/core").PartialStrykerOptions} */
export default {
  testRunner: "vitest",
  plugins: ["@stryker-mutator/vitest-runner"],
  vitest: { configFile: ".ci/vitest.mutation.mjs" },
  coverageAnalysis: "perTest",
  // The copy in which it works holds these only; dependencies are found above it.
  ignorePatterns: [
    "*",
    "!package.json",
    "!tsconfig.base.json",
    "!.ci/*.mjs",
    "!packages/sluice/{src,test}/**",
    "!packages/sluice/{package,tsconfig}.json"
  ],
  tempDirName: ".stryker-tmp",
  symlinkNodeModules: false,
  concurrency: 2,
  timeoutMS: 60_000,
  allowEmpty: true,
  reporters: ["progress-append-only", "clear-text", "json", "html"],
  jsonReporter: { fileName: "coverage/mutation/report.json" },
  htmlReporter: { fileName: "coverage/mutation/report.html" },
  clearTextReporter: {
    allowColor: false,
    allowEmojis: false,
    logTests: false,
    reportTests: false,
    reportMutants: false
  },
  disableTypeChecks: false,
  allowConsoleColors: false
}
