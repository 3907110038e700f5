/** Our server as the origin of a page, which has the dialogue as a script. */
import { readFileSync } from "node:fs"
import type { RequestListener } from "node:http"
import ts from "typescript"
import type { Host } from "../../../../sluice/test/suites/host.js"
import { upgradeBeside } from "../../support/hosts.js"
import { fileOf } from "./program.js"

const page =
  '<!doctype html><html lang="en"><meta charset="utf-8"><link rel="icon" href="data:,"><title>sluice</title></html>'

const script = (): string =>
  ts.transpileModule(readFileSync(fileOf("webDialogue.ts"), "utf8"), {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 }
  }).outputText

const answer: RequestListener = ({ url }, response) => {
  if (url === "/") response.writeHead(200, { "Content-Type": "text/html; charset=utf-8" }).end(page)
  else if (url === "/dialogue.js") response.writeHead(200, { "Content-Type": "text/javascript" }).end(script())
  else response.writeHead(404).end()
}

export const site: Host = upgradeBeside(answer)

/** What leads a page of the site through the dialogue with its own WebSocket: the lines that it tells, as JSON. */
export const ledIn = (base: string, sizes: ReadonlyArray<number>): string => `
  (async () => {
    const { dialogue } = await import("/dialogue.js")
    const lines = []
    await dialogue(WebSocket, ${JSON.stringify(base)}, ${JSON.stringify(sizes)}, (seen) => lines.push(JSON.stringify(seen)))
    return JSON.stringify(lines)
  })()`
