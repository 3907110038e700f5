/**
 * The few globals of the web platform that every JavaScript runtime has and the core uses, typed here because the core
 * is compiled without the types of any host.
 */

declare const TextEncoder: new () => {
  encode(text: string): Uint8Array
  encodeInto(text: string, into: Uint8Array): { readonly read: number; readonly written: number }
}

declare const TextDecoder: new (
  label: "utf-8",
  options: { readonly ignoreBOM: true }
) => { decode(bytes: Uint8Array): string }

declare const queueMicrotask: (run: () => void) => void

declare const crypto: { getRandomValues(bytes: Uint8Array): Uint8Array }

interface Url {
  readonly href: string
  readonly protocol: string
  readonly username: string
  readonly password: string
  readonly host: string
  readonly hostname: string
  readonly port: string
  readonly pathname: string
  readonly search: string
  readonly hash: string
}

declare const URL: new (url: string, base?: string) => Url

const encoder = new TextEncoder()
// A byte order mark is a character of the message, which the receiver may not swallow.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true })

/** @internal */
export const encodeUtf8 = (text: string): Uint8Array => encoder.encode(text)

/** @internal Writes as much of the text as fits, and says how many bytes that were. */
export const encodeUtf8Into = (text: string, into: Uint8Array): number => encoder.encodeInto(text, into).written

/** @internal For bytes that were validated before. */
export const decodeUtf8 = (bytes: Uint8Array): string => decoder.decode(bytes)

/** @internal */
export const randomBytes = (size: number): Uint8Array => crypto.getRandomValues(new Uint8Array(size))

/** @internal When the task that runs is over, before anything else of the host. */
export const afterThis = (run: () => void): void => queueMicrotask(run)

/** @internal A relative reference is resolved against the base, if there is one. */
export const parseUrl = (url: string, base?: string): Url | undefined => {
  try {
    return new URL(url, base)
  } catch {
    return undefined
  }
}
