/** What RFC 6455 §4 demands of a request and of its answer that are accepted, looked at once more in their text. */
import { createHash } from "node:crypto"

const lines = (head: string, name: string): ReadonlyArray<string> =>
  head
    .replaceAll(/\r\n[\t ]+/g, " ")
    .split("\r\n")
    .slice(1)
    .filter((line) => line.slice(0, line.indexOf(":")).toLowerCase() === name)
    .map((line) => line.slice(line.indexOf(":") + 1).replace(/^[\t ]+|[\t ]+$/g, ""))

const elements = (head: string, name: string): ReadonlyArray<string> =>
  lines(head, name)
    .flatMap((line) => line.split(","))
    .map((element) => element.replace(/^[\t ]+|[\t ]+$/g, ""))
    .filter((element) => element !== "")

const has = (all: ReadonlyArray<string>, name: string): boolean => all.some((one) => one.toLowerCase() === name)

/** §4.2.2, item 5.4 */
export const acceptKey = (key: string): string =>
  createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64")

type Demands = Record<string, boolean>

const broken = (demands: Demands): ReadonlyArray<string> => Object.keys(demands).filter((demand) => !demands[demand])

/** Which demands of §4.2.1 a request does not meet. */
export const brokenByRequest = (request: string): ReadonlyArray<string> => {
  const head = request.replace(/^\r\n/, "")
  const subprotocols = elements(head, "sec-websocket-protocol")
  return broken({
    "GET of HTTP/1.1": /^GET [!-~]+ HTTP\/1[.][1-9]\r\n/.test(head),
    "one Host": lines(head, "host").length === 1,
    "Upgrade: websocket": has(elements(head, "upgrade"), "websocket"),
    "Connection: Upgrade": has(elements(head, "connection"), "upgrade"),
    "a key of 16 bytes": /^[A-Za-z0-9+/]{22}==$/.test(lines(head, "sec-websocket-key").join()),
    "version 13": lines(head, "sec-websocket-version").join() === "13",
    "no content":
      lines(head, "transfer-encoding").length === 0 && /^0*$/.test(elements(head, "content-length").join("")),
    "distinct subprotocols": new Set(subprotocols).size === subprotocols.length,
    "one origin": lines(head, "origin").length <= 1
  })
}

/** Which demands of §4.1 the answer to a key does not meet. */
export const brokenByAnswer = (head: string, key: string, asked: ReadonlyArray<string>): ReadonlyArray<string> =>
  broken({
    "101 of HTTP/1.1": /^HTTP\/1[.][1-9] 101 /.test(head),
    "Upgrade: websocket": elements(head, "upgrade").join().toLowerCase() === "websocket",
    "Connection: Upgrade": has(elements(head, "connection"), "upgrade"),
    "the accept of the key": lines(head, "sec-websocket-accept").join() === acceptKey(key),
    "a subprotocol that was asked for": lines(head, "sec-websocket-protocol").every(
      (name, _, all) => all.length === 1 && asked.includes(name)
    )
  })

/** The content of chunks (RFC 9112 §7.1), if they are whole. */
const chunked = (text: string): string | undefined => {
  let body = ""
  for (let rest = text; ; ) {
    const line = /^([0-9A-Fa-f]+)(?:[;\t ][\t\x20-\x7e\x80-\xff]*)?\r\n/.exec(rest)
    if (line === null) return undefined
    const size = Number.parseInt(line[1], 16)
    rest = rest.slice(line[0].length)
    if (size === 0) return /^(?:[\t\x20-\x7e\x80-\xff]+\r\n)*\r\n/.test(rest) ? body : undefined
    if (rest.slice(size, size + 2) !== "\r\n") return undefined
    body += rest.slice(0, size)
    rest = rest.slice(size + 2)
  }
}

/** The body of a refusal, of which all that follows its head is given (RFC 9112 §6.3); nothing if it is cut short. */
export const bodyOf = (head: string, rest: string): string | undefined => {
  if (/^HTTP\/[0-9][.][0-9] 304/.test(head)) return ""
  if (lines(head, "transfer-encoding").length > 0) return chunked(rest)
  const [length] = elements(head, "content-length")
  if (length === undefined) return rest
  return rest.length < Number(length) ? undefined : rest.slice(0, Number(length))
}
