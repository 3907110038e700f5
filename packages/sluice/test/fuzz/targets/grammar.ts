/** The grammars of fields: extensions, lists, parameters, names and values, targets, hosts and origins. */
import { Either } from "effect"
import * as Extension from "../../../src/Extension.js"
import * as Fields from "../../../src/Fields.js"
import * as Http1 from "../../../src/Http1.js"
import * as Authority from "../../../src/internal/authority.js"
import * as Grammar from "../../../src/internal/grammar.js"
import * as OfferFields from "../../../src/internal/offerFields.js"
import * as Origin from "../../../src/internal/origin.js"
import * as Rejection from "../../../src/Rejection.js"
import * as Upgrade from "../../../src/Upgrade.js"
import { toLatin1 } from "../../support/http.js"
import { key } from "../../support/requests.js"
import { countCharacters } from "../../support/steps.js"
import { inputs, type Name, names, wide } from "../inputs/grammar.js"
import * as Oracle from "../oracles/grammar.js"
import { must, mustEqual, split, type Target } from "../target.js"

/** Regular expressions take long for long texts. */
const mostForOracle = 2048

const agree = (text: string, actual: unknown, expected: () => unknown, law: string): void => {
  if (text.length <= mostForOracle) mustEqual(actual, expected(), law)
}

const isTrimmed = (text: string): boolean => !/^[\t ]|[\t ]$/.test(text)

const checkExtensions = (text: string): string => {
  const values = text.split("\n")
  const parsed = Extension.parse(values)
  agree(text, Either.isRight(parsed), () => Oracle.isExtensions(values), "extensions are what RFC 6455 §9.1 says")
  if (Either.isLeft(parsed)) return "syntax"
  const written = Extension.format(parsed.right)
  mustEqual(Either.getOrNull(Extension.parse([written])), parsed.right, "extensions are read back")
  must(written.length <= 3 * text.length, "what is read is not longer than what was written")
  Extension.negotiate(parsed.right, [])
  return "read"
}

/** Lines of one field, if they may stand in a head. */
const fieldsOf = (name: string, text: string): Fields.Fields | undefined =>
  Either.getOrUndefined(Fields.make(text.split("\n").map((value) => [name, value])))

const checkList = (text: string): string => {
  const fields = fieldsOf("X", text)
  if (fields === undefined) return "no field"
  const elements = Fields.list(fields, "x")
  agree(
    text,
    elements,
    () => text.split("\n").flatMap(Oracle.elements),
    "a list has the elements that RFC 9110 §5.6.1 says"
  )
  must(
    elements.every((element) => element !== "" && isTrimmed(element)),
    "no element is empty or has white space at its ends"
  )
  for (const [, value] of fields) {
    const own = Grammar.splitList(value)
    mustEqual(Grammar.splitList(own.join(",")), own, "a list is read back")
  }
  return elements.length === 0 ? "empty" : "read"
}

const checkSubprotocols = (text: string): string => {
  const lines = fieldsOf("Sec-WebSocket-Protocol", text)
  if (lines === undefined) return "no field"
  const others = fieldsOf("Sec-WebSocket-Version", "13")
  const keys = fieldsOf("Sec-WebSocket-Key", key)
  const read = OfferFields.read(Fields.concat(Fields.concat(others ?? Fields.empty, keys ?? Fields.empty), lines))
  const names = Fields.list(lines, "Sec-WebSocket-Protocol")
  const isRight = names.length > 0 && names.every(Oracle.isToken) && new Set(names).size === names.length
  mustEqual(Either.isRight(read), isRight, "subprotocols are distinct tokens")
  if (Either.isRight(read)) mustEqual(read.right.subprotocols, names, "subprotocols keep their order")
  return isRight ? "read" : "syntax"
}

const checkItem = (text: string): string => {
  const item = Grammar.parseItem(text)
  const parts = text.split(";")
  const name = Oracle.isToken(parts[0]) ? parts[0] : "x"
  // Whatever a value is, it is quoted so that it is read back.
  const parameters = parts.map((part, i) => ({ name: `p${i}`, value: part === "" ? undefined : part.slice(1) }))
  mustEqual(
    Grammar.parseItem(Grammar.formatItem({ name, parameters })),
    Either.right({ name, parameters }),
    "an item is read back"
  )
  if (Either.isLeft(item)) {
    must(/^[ -~]*$/.test(item.left) && item.left.length < 300, "an error is short and in visible characters")
    return "syntax"
  }
  mustEqual(Grammar.parseItem(Grammar.formatItem(item.right)), item, "an item that was read is read back")
  return item.right.parameters.length === 0 ? "name" : "parameters"
}

const checkFields = (text: string): string => {
  const colon = text.indexOf(":")
  const [name, value] = colon === -1 ? [text, ""] : [text.slice(0, colon), text.slice(colon + 1)]
  const made = Fields.make([[name, value]])
  const isField = Oracle.isToken(name) && Oracle.isFieldValue(value)
  mustEqual(Either.isRight(made), isField, "a field is what RFC 9110 §5.1 and §5.5 say")
  const shown = Grammar.printable(text)
  must(/^[ -~]*$/.test(shown) && shown.length <= 600, "foreign text is shown in visible characters, and cut")
  mustEqual(Grammar.isToken(text), Oracle.isToken(text), "a token is what RFC 9110 §5.6.2 says")
  const digits = Grammar.parseDigits(text)
  if (digits !== undefined) must(/^[0-9]+$/.test(text) && BigInt(text) === BigInt(digits), "digits are read exactly")
  const challenge = Rejection.challenge(text)
  if (Either.isRight(challenge)) must(Oracle.isFieldValue(challenge.right), "a challenge may stand in a field")
  if (Either.isLeft(made)) return made.left.reason
  const [[, kept]] = made.right
  must(isTrimmed(kept) && value.includes(kept), "a value has no white space at its ends")
  mustEqual(Fields.make(made.right), made, "a field that was made is made again")
  mustEqual(Fields.get(made.right, name.toUpperCase()), kept, "a field is found by its name")
  return "made"
}

const checkTarget = (text: string): string => {
  const space = text.indexOf(" ")
  const [method, target] = space === -1 ? ["GET", text] : [text.slice(0, space), text.slice(space + 1)]
  const form = Http1.targetForm(method, target)
  agree(text, form, () => Oracle.targetForm(method, target), "a target has the form that RFC 9112 §3.2 says")
  const head = { method, target, version: "1.1", fields: Fields.empty }
  const written = Http1.encodeRequest(head)
  mustEqual(Either.isRight(written), form !== undefined && Oracle.isToken(method), "what may be sent can be written")
  if (Either.isLeft(written)) return "none"
  const read = Either.getOrThrow(
    Http1.receive(Http1.request({ maxHeadSize: "unbounded", maxTarget: "unbounded" }), written.right)
  )
  mustEqual(read._tag === "Complete" ? read.head : undefined, head, "a request line is read back")
  return form ?? "none"
}

const checkAuthority = (text: string): string => {
  const authority = Authority.parse(text)
  agree(text, authority !== undefined, () => Oracle.isAuthority(text), "an authority is what RFC 3986 §3.2 says")
  if (authority === undefined) return "none"
  const written = Authority.format(authority)
  mustEqual(Authority.parse(written), authority, "an authority is read back")
  must(written === written.toLowerCase(), "an authority is in lowercase")
  mustEqual(Authority.parse(text.toUpperCase()), authority, "the case of an authority does not matter")
  return authority.port === undefined ? "host" : "host and port"
}

const checkOrigin = (text: string): string => {
  const [origin = "", host = ""] = text.split(" ")
  const isSame = Origin.isSame(origin, host)
  if (isSame) {
    must(/^https?:\/\/[^/?#@]+$/i.test(origin), "an origin is a scheme, a host and a port")
    const [page, server] = [URL.canParse(origin), URL.canParse(`http://${host}`)]
    if (page && server) {
      const name = new URL(`http://${host}`).hostname
      mustEqual(new URL(origin).hostname, name, "a page of the same origin has the same host for a browser")
    }
    must(Oracle.isAuthority(host), "only a host has pages of its own")
  }
  if (Oracle.isAuthority(host) && !/^(?::|$)/.test(host)) {
    must(Origin.isSame(`http://${host}`, host) && Origin.isSame(`https://${host}`, host), "a host is its own origin")
  }
  const isAmong = Origin.isAmong(origin, [host, "null"])
  mustEqual(Origin.isAmong(host, [origin, "null"]), isAmong, "it does not matter which of two origins is the own")
  must(!Origin.isAmong("null", [origin, "null"]) && !Origin.isSame("null", host), "null is no origin")
  return isSame ? "same" : isAmong ? "among" : "foreign"
}

const checkProtocols = (text: string): string => {
  const fields = fieldsOf("Upgrade", text)
  if (fields === undefined) return "no field"
  const protocols = Upgrade.requested({ method: "GET", target: "/", version: "1.1", fields })
  const elements = Fields.list(fields, "Upgrade")
  const isProtocol = (element: string): boolean => {
    const slash = element.indexOf("/")
    return slash === -1
      ? Oracle.isToken(element)
      : Oracle.isToken(element.slice(0, slash)) && Oracle.isToken(element.slice(slash + 1))
  }
  mustEqual(Either.isRight(protocols), elements.every(isProtocol), "a protocol is what RFC 9110 §7.8 says")
  if (Either.isLeft(protocols)) return "syntax"
  const written = protocols.right.map(({ name, version }) => (version === undefined ? name : `${name}/${version}`))
  mustEqual(written, elements, "protocols keep their order")
  return elements.length === 0 ? "empty" : "read"
}

const checks: Record<Name, (text: string) => string> = {
  extensions: checkExtensions,
  list: checkList,
  subprotocols: checkSubprotocols,
  item: checkItem,
  fields: checkFields,
  target: checkTarget,
  authority: checkAuthority,
  origin: checkOrigin,
  protocols: checkProtocols
}

/** Code units of two bytes each, for functions that are given text by an application. */
const wideText = (bytes: Uint8Array): string => {
  let text = ""
  for (let at = 0; at + 1 < bytes.length; at += 2) text += String.fromCharCode((bytes[at] << 8) | bytes[at + 1])
  return text
}

/** From here on steps are counted: each character is looked at a bounded number of times, by all laws together. */
const long = 2048
const stepsPerCharacter = 250

const run = (input: Uint8Array): string => {
  const [option = 0, width = 0] = input
  const name = names[option % names.length]
  const text = width >= wide ? wideText(input.subarray(2)) : toLatin1(input.subarray(2))
  if (text.length < long) return `${name} ${checks[name](text)}`
  let outcome = ""
  const steps = countCharacters(() => {
    outcome = checks[name](text)
  })
  must(steps <= stepsPerCharacter * text.length, "linear steps", () => `${steps} for ${text.length} characters`)
  return `${name} ${outcome}`
}

export const grammar: Target = {
  name: "grammar",
  ...inputs,
  run,
  outcomes: Object.entries({
    extensions: "read|syntax",
    list: "read|empty|no field",
    subprotocols: "read|syntax|no field",
    item: "name|parameters|syntax",
    fields: "made|InvalidName|InvalidValue",
    target: "origin|absolute|authority|asterisk|none",
    authority: "host|host and port|none",
    origin: "same|among|foreign",
    protocols: "read|empty|syntax|no field"
  }).flatMap(([name, ends]) => split(ends).map((end) => `${name} ${end}`)),
  mostWork: (size) => 20_000 + 1000 * size
}
