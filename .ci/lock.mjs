// npm run lock: completes package-lock.json after a change of the dependencies.
// A registry that does not serve the builds of a tool for every platform makes npm leave them out of the lock file,
// and then `npm ci` refuses it everywhere. This enters them by what their exact version and their names say.
import { readFileSync, writeFileSync } from "node:fs"

const path = new URL("../package-lock.json", import.meta.url)
const platform =
  /(android|darwin|freebsd|linux|netbsd|openbsd|openharmony|win32)-(arm64|arm|ia32|loong64|ppc64|riscv64|s390x|x64)(?:-(gnu|musl))?/

/** @typedef {{ dev?: boolean, optionalDependencies?: Record<string, string> }} Entry */

/** @type {{ packages: Record<string, Entry> }} */
const lock = JSON.parse(readFileSync(path, "utf8"))
for (const { dev, optionalDependencies } of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(optionalDependencies ?? {})) {
    const [, os, cpu, libc] = platform.exec(name) ?? []
    if (os === undefined || `node_modules/${name}` in lock.packages) continue
    lock.packages[`node_modules/${name}`] = {
      ...{ version, cpu: [cpu] },
      ...(dev === true ? { dev } : {}),
      ...(os === "linux" && libc !== undefined ? { libc: [libc === "gnu" ? "glibc" : libc] } : {}),
      ...{ optional: true, os: [os] }
    }
    console.log(`${name}@${version}`)
  }
}
lock.packages = Object.fromEntries(
  Object.entries(lock.packages).sort(([one], [other]) => one.localeCompare(other, "en"))
)
writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`)
