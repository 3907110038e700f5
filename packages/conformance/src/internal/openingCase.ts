/**
 * What the cases of the opening handshake are made of: a request and a reply that are right but for what is said, and
 * the steps around them.
 *
 * Where a MUST decides, the case is decided; what is only a SHOULD or a MAY makes a case `informational`, or gives it
 * the statuses of every way that is open.
 */
import type { Bytes, Case, Group, Step } from "../Case.js"

/**
 * Refusals. RFC 6455 §4.2.1: "the server MUST stop processing the client's handshake and return an HTTP response with an
 * appropriate error code (such as 400 Bad Request)", which leaves open which one.
 *
 * @internal
 */
export const errors: ReadonlyArray<number> = [
  400, 401, 403, 404, 405, 406, 411, 413, 414, 417, 421, 422, 426, 431, 500, 501, 505
]

/** What is no handshake at all is a request of HTTP, which may also be answered with a page or a redirect. */
const switchless: ReadonlyArray<number> = [200, 204, 301, 302, 303, 307, 308, ...errors]

/** @internal The key of RFC 6455 §1.3. */
export const sampleKey = "dGhlIHNhbXBsZSBub25jZQ=="

const requestFields = [
  "Host: {host}",
  "Upgrade: websocket",
  "Connection: Upgrade",
  "Sec-WebSocket-Key: {key}",
  "Sec-WebSocket-Version: 13"
]

const replyFields = ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Accept: {accept}"]

const nameOf = (line: string): string => line.slice(0, line.indexOf(":")).toLowerCase()

interface Changes {
  /** The first line. */
  readonly line?: string
  /** Lines that take the place of all lines of their names. */
  readonly lines?: ReadonlyArray<string>
  /** Names of fields that are left out. */
  readonly without?: ReadonlyArray<string>
}

const head = (usual: string, fields: ReadonlyArray<string>, { line = usual, lines = [], without = [] }: Changes) => {
  const replaced = new Set([...without.map((name) => name.toLowerCase()), ...lines.map(nameOf)])
  return [line, ...fields.filter((field) => !replaced.has(nameOf(field))), ...lines, "", ""].join("\r\n")
}

/** @internal The head of a request. */
export const request = (changes: Changes = {}): string => head("GET {path} HTTP/1.1", requestFields, changes)

/** @internal The head of a 101. */
export const reply = (changes: Changes = {}): string => head("HTTP/1.1 101 Switching Protocols", replyFields, changes)

/** @internal A request with these lines. */
export const having = (...lines: ReadonlyArray<string>): string => request({ lines })

/** @internal A request without a field. */
export const lacking = (name: string): string => request({ without: [name] })

/** @internal A request with another first line. */
export const beginning = (line: string): string => request({ line })

/** @internal A request without `{host}`, `{path}` and `{key}`, whose length is known. */
export const counted = request({
  line: "GET / HTTP/1.1",
  lines: ["Host: server.example", `Sec-WebSocket-Key: ${sampleKey}`]
})

/** @internal Each byte by itself, but for the words that stand for what the runner knows. */
export const bytesOf = (text: string): ReadonlyArray<string> => text.match(/\{\w+\}|[\s\S]/g) ?? []

/** @internal The text frame `Hello` of RFC 6455 §5.7, as a server sends it. */
export const helloOfServer: Bytes = { hex: "810548656c6c6f" }

/** @internal The same, masked as a client sends it. */
export const helloOfClient: Bytes = { hex: "818537fa213d7f9f4d5158" }

/** @internal The endpoint echoes it. */
export const hello: Step = { _tag: "Receive", messages: [{ type: "text", payload: "Hello" }] }

/** @internal The connection is open: there is an echo. */
export const echo: ReadonlyArray<Step> = [{ _tag: "SendFrames", frames: [{ opcode: 1, payload: "Hello" }] }, hello]

/** @internal The endpoint ends the connection, and has said nothing more. */
export const end: Step = { _tag: "ReceiveEnd", withoutFrames: true }

/** @internal */
export const endOutput: Step = { _tag: "EndOutput" }

interface Options extends Partial<Pick<Case, "section" | "setup" | "informational">> {
  /** What follows. */
  readonly after?: ReadonlyArray<Step>
  /** What a server answers. */
  readonly statuses?: ReadonlyArray<number>
  readonly fields?: { readonly [name: string]: string | null }
  readonly absent?: ReadonlyArray<string>
}

/** @internal The RFC leaves it open. */
export const open: Options = { informational: true }

/**
 * One case of a topic: the last part of its id, what its title is about, the head that is sent, and in what it differs
 * from the other cases.
 *
 * @internal
 */
export type Row = readonly [name: string, what: string, head: Bytes, options?: Options]

type Table = (topic: string, section: string, rows: ReadonlyArray<Row>, options?: Options) => ReadonlyArray<Case>

const table =
  (group: Group, role: Case["role"], verb: string, steps: (head: Bytes, options: Options) => ReadonlyArray<Step>) =>
  (topic: string, common: Options, rows: ReadonlyArray<Row>): ReadonlyArray<Case> =>
    rows.map(([name, what, head, own]) => {
      const options = { section: "", ...common, ...own }
      const { after = [], informational, section, setup } = options
      return {
        id: `${group}/${topic}/${name}`,
        title: `${verb} ${what}.`,
        section,
        group,
        role,
        steps: [...steps(head, options), ...after],
        ...(setup === undefined ? {} : { setup }),
        ...(informational === undefined ? {} : { informational })
      }
    })

const answers = (group: Group, verb: string, usual: ReadonlyArray<number>): Table => {
  const make = table(group, "server", verb, (head, { absent, fields, statuses = usual }) => [
    { _tag: "Request", head },
    {
      _tag: "ReceiveResponse",
      statuses,
      ...(fields === undefined ? {} : { fields }),
      ...(absent === undefined ? {} : { absent })
    }
  ])
  return (topic, section, rows, options) => make(topic, { ...options, section }, rows)
}

const reads = (group: Group, verb: string, steps: (head: Bytes) => ReadonlyArray<Step>): Table => {
  const make = table(group, "client", verb, (head) => [{ _tag: "ReceiveRequest", fields: {} }, ...steps(head)])
  return (topic, section, rows, options) => make(topic, { ...options, section }, rows)
}

/**
 * The cases of a server: what it accepts, what it refuses, what it may do either with, and what is no handshake.
 *
 * @internal
 */
export const server = (group: Group) => ({
  accepts: answers(group, "Accepts", [101]),
  refuses: answers(group, "Refuses", errors),
  either: answers(group, "Accepts or refuses", [101, ...errors]),
  ignores: answers(group, "Does not switch protocols for", switchless)
})

/**
 * The cases of a client: the replies that open the connection, which shows by the echo; those that must not, with a
 * message behind them that would be echoed; and the bytes after which it leaves.
 *
 * @internal
 */
export const client = (group: Group) => ({
  opens: reads(group, "Opens the connection for", (head) => [{ _tag: "Response", head }, ...echo]),
  fails: reads(group, "Fails the connection for", (head) => [{ _tag: "Response", head: [head, helloOfServer] }, end]),
  leaves: reads(group, "Ends the connection after", (head) => [{ _tag: "Response", head }, endOutput, end])
})
