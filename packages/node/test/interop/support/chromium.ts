/** Chromium, through playwright-core. */
import { Effect } from "effect"
import type { Launch } from "./browser.js"

export const executable = "/usr/bin/chromium"

/** What is not on this machine is behind a proxy that is not there: it asks nobody for news. */
const args = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--proxy-server=127.0.0.1:1"]

export const launch: Launch = Effect.map(
  Effect.acquireRelease(
    // It is large, and most tests need none of it.
    Effect.tryPromise(async () =>
      (await import("playwright-core")).chromium.launch({ executablePath: executable, args })
    ),
    (browser) => Effect.promise(() => browser.close())
  ),
  (browser) => (url) =>
    Effect.tryPromise(async () => {
      const page = await browser.newPage()
      await page.goto(url)
      return (expression: string) => Effect.tryPromise((): Promise<unknown> => page.evaluate(expression))
    })
)
