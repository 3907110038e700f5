/** Work counted in steps instead of time: the same on every machine, so that a parser that is not linear is seen. */

/** Methods of strings that look at characters, with how many they look at. */
const looks = {
  charCodeAt: () => 1,
  codePointAt: () => 1,
  slice: (result: unknown) => String(result).length,
  includes: (_: unknown, self: string) => self.length,
  startsWith: () => 1,
  endsWith: () => 1,
  toLowerCase: (_: unknown, self: string) => self.length,
  split: (_: unknown, self: string) => self.length,
  indexOf: (result: unknown, self: string, from: unknown) =>
    (Number(result) === -1 ? self.length : Number(result)) - (typeof from === "number" ? from : 0) + 1
} as const

/** How many characters of strings are looked at while the function runs. */
export const countCharacters = (run: () => unknown): number => {
  let steps = 0
  const originals = Object.keys(looks).map((name) => [name, Reflect.get(String.prototype, name)] as const)
  for (const [name, original] of originals) {
    const cost = looks[name as keyof typeof looks]
    Reflect.set(String.prototype, name, function (this: string, ...args: ReadonlyArray<unknown>) {
      const result = Reflect.apply(original, this, args)
      steps += (cost as (...args: ReadonlyArray<unknown>) => number)(result, this, args[1])
      return result
    })
  }
  try {
    run()
  } finally {
    for (const [name, original] of originals) Reflect.set(String.prototype, name, original)
  }
  return steps
}

/** The bytes, behind a proxy that counts how many are read. */
export const countReads = (bytes: Uint8Array): { readonly bytes: Uint8Array; readonly reads: () => number } => {
  let reads = 0
  const proxy = new Proxy(bytes, {
    get: (target, key) => {
      if (typeof key === "string" && /^[0-9]+$/.test(key)) reads++
      const value = Reflect.get(target, key, target)
      return typeof value === "function" ? value.bind(target) : value
    }
  })
  return { bytes: proxy, reads: () => reads }
}
