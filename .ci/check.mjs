// npm run check: everything that can be said of the sources without running them.
import { step } from "./steps.mjs"

const colors = process.stdout.isTTY ? "force" : "off"

step("types", "tsc", ["-b"])
step("lint and format", "biome", ["ci", "--error-on-warnings", `--colors=${colors}`, "."])
step("imports", "depcruise", ["--config", ".dependency-cruiser.mjs", "--output-type", "err", "packages", "examples"])
step("barrels", "node", [".ci/barrels.mjs", "--check"])
step("docs", "node", [".ci/docs.mjs"])
