import { assert, describe, it } from "@effect/vitest"
import { Clock, Deferred, Effect, Equal, Exit, FastCheck, Fiber, Option, Redacted, TestClock } from "effect"
import { Entropy } from "../src/Entropy.js"
import * as Network from "../src/Network.js"
import * as Rejection from "../src/Rejection.js"
import * as Ticket from "../src/Ticket.js"
import * as WebSocketClient from "../src/WebSocketClient.js"
import * as WebSocketServer from "../src/WebSocketServer.js"
import { memory, scenario, urlOf } from "./suites/host.js"
import { ask, plain101 } from "./support/asking.js"
import { latin1 } from "./support/http.js"
import { logged } from "./support/logs.js"
import * as Peer from "./support/peer.js"
import { turns } from "./support/turns.js"

interface User {
  readonly name: string
}

const ada: User = { name: "Ada" }

const unauthorized = (detail: string) => new Rejection.Unauthorized({ challenges: [Rejection.bearer], detail })

const notValid = unauthorized("The ticket is unknown, was used, or has expired. Ask for another.")
const missing = unauthorized("A ticket is wanted in the query of the target: ?ticket=...")
const malformed = unauthorized("What the query has as ticket is no ticket: that is 43 characters of base64url.")

/** A server that says to who comes in who that is. */
const serve = (
  tickets: Ticket.Tickets<User>,
  options: Omit<WebSocketServer.Options<ReadonlyArray<string>, boolean, User>, "authenticate"> = {}
) =>
  Effect.map(
    WebSocketServer.serve({ ...options, authenticate: tickets.authenticate }, (socket, { principal }) =>
      Effect.zipRight(socket.send(principal.name), socket.closed)
    ),
    ({ address }) => ({
      address,
      get: (target: string, ...fields: ReadonlyArray<string>) => ask(address, Peer.request(target, ...fields))
    })
  )

const issued = (tickets: Ticket.Tickets<User>, user: User = ada) => Effect.map(tickets.issue(user), Redacted.value)

const bytesOf = (rejection: Rejection.Rejection) => Buffer.from(Rejection.toBytes(rejection)).toString("latin1")

/** What is well formed and was never issued. */
const forged = "A".repeat(43)

const test = scenario(memory)

describe("a ticket", () => {
  test(
    "lets its principal in, and is not in the 101",
    Effect.gen(function* () {
      const tickets = yield* Ticket.make<User>()
      const { address, get } = yield* serve(tickets)
      const ticket = yield* issued(tickets)
      assert.match(ticket, /^[A-Za-z0-9_-]{43}$/)
      assert.deepStrictEqual(yield* get(`/chat?ticket=${ticket}`), {
        status: 101,
        text: plain101(),
        frame: 'Text "Ada"'
      })

      const url = urlOf(address, `/chat?room=1&ticket=${yield* issued(tickets, { name: "Grace" })}&x`)
      const socket = yield* WebSocketClient.connect(url)
      assert.deepStrictEqual(yield* socket.take, [{ _tag: "Text", text: "Grace" }])
    })
  )

  test(
    "is made of 32 bytes of Entropy, anew each time",
    Effect.gen(function* () {
      const tickets = yield* Ticket.make<User>()
      const all = yield* Effect.replicateEffect(issued(tickets), 100)
      assert.strictEqual(new Set(all).size, 100)
      const sizes: Array<number> = []
      const entropy = (size: number) => {
        sizes.push(size)
        return Uint8Array.from({ length: size }, (_, i) => 0xf8 + (i & 7))
      }
      const ticket = yield* Effect.provideService(issued(tickets), Entropy, entropy)
      assert.strictEqual(ticket, Buffer.from(entropy(32)).toString("base64url"))
      assert.deepStrictEqual(sizes, [32, 32])
      // nothing of it is printed by accident
      assert.strictEqual(String(yield* tickets.issue(ada)), "<redacted>")
    })
  )

  test(
    "is refused with one answer, whether it is unknown, used, expired, or of another store",
    Effect.gen(function* () {
      const tickets = yield* Ticket.make<User>()
      const { address, get } = yield* serve(tickets)
      const used = yield* issued(tickets)
      const expired = yield* issued(tickets)
      const late = yield* issued(tickets)
      const foreign = yield* issued(yield* Ticket.make<User>())
      assert.strictEqual((yield* get(`/?ticket=${used}`)).status, 101)
      yield* TestClock.adjust("29999 millis")
      assert.strictEqual((yield* get(`/?ticket=${late}`)).status, 101)
      yield* TestClock.adjust("1 millis")
      const answers = yield* Effect.forEach([forged, used, late, expired, foreign, expired], (ticket) =>
        get(`/?ticket=${ticket}`)
      )
      for (const answer of answers) {
        assert.deepStrictEqual(answer, { status: 401, text: bytesOf(notValid), frame: undefined })
      }
      const error = yield* Effect.flip(WebSocketClient.connect(urlOf(address, `/?ticket=${forged}`)))
      assert.isTrue(Equal.equals(error, notValid))
    })
  )

  test(
    "may be used for as long as the options say",
    Effect.gen(function* () {
      const tickets = yield* Ticket.make<User>({ lifetime: "2 minutes" })
      const { get } = yield* serve(tickets)
      const [early, late] = [yield* issued(tickets), yield* issued(tickets)]
      yield* TestClock.adjust("119999 millis")
      assert.strictEqual((yield* get(`/?ticket=${early}`)).status, 101)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* get(`/?ticket=${late}`)).status, 401)
    })
  )

  test(
    "lets one in of many who come at once",
    Effect.gen(function* () {
      const tickets = yield* Ticket.make<User>()
      const { get } = yield* serve(tickets)
      const all = yield* Effect.replicateEffect(issued(tickets), 8)
      const answers = yield* Effect.forEach(
        all.flatMap((ticket) => [ticket, ticket, ticket, ticket]),
        (ticket) => Effect.map(get(`/?ticket=${ticket}`), ({ status }) => ({ ticket, status })),
        { concurrency: "unbounded" }
      )
      for (const ticket of all) {
        const statuses = answers.filter((answer) => answer.ticket === ticket).map(({ status }) => status)
        assert.deepStrictEqual(statuses.sort(), [101, 401, 401, 401])
      }
    })
  )

  test(
    "is spent by a handshake that does not come to its end",
    Effect.gen(function* () {
      const tickets = yield* Ticket.make<User>()
      const asked = yield* Deferred.make<void>()
      const { get } = yield* serve(tickets, {
        limits: { handshakeTimeout: "1 second" },
        fields: () => Effect.zipRight(Deferred.succeed(asked, undefined), Effect.never)
      })
      const ticket = yield* issued(tickets)
      const answer = yield* Effect.fork(get(`/?ticket=${ticket}`))
      yield* Deferred.await(asked)
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Fiber.join(answer)).status, 408)
      assert.strictEqual((yield* get(`/?ticket=${ticket}`)).text, bytesOf(notValid))
    })
  )

  test(
    "is not spent by a page of another origin, nor by a client that speaks something else",
    Effect.gen(function* () {
      const tickets = yield* Ticket.make<User>()
      const { get } = yield* serve(tickets, { subprotocols: ["chat.v1"], subprotocolRequired: true })
      const target = `/?ticket=${yield* issued(tickets)}`
      assert.strictEqual((yield* get(target, "Origin: http://elsewhere.example")).status, 403)
      assert.strictEqual((yield* get(target, "Sec-WebSocket-Protocol: mqtt")).status, 400)
      assert.strictEqual((yield* get(target)).status, 400)
      const answer = yield* get(target, "Origin: http://localhost", "Sec-WebSocket-Protocol: chat.v1")
      assert.deepStrictEqual(answer, { status: 101, text: plain101("chat.v1"), frame: 'Text "Ada"' })
    })
  )

  test(
    "is bound to what its principal says",
    Effect.gen(function* () {
      const tickets = yield* Ticket.make<{ readonly room: string }>()
      const { address } = yield* WebSocketServer.serve(
        {
          authenticate: (incoming) =>
            Effect.filterOrFail(
              tickets.authenticate(incoming),
              ({ room }) => incoming.resource.startsWith(`/${room}?`),
              () => new Rejection.Forbidden()
            )
        },
        (socket, { principal }) => Effect.zipRight(socket.send(principal.room), socket.closed)
      )
      const get = (target: string) => ask(address, Peer.request(target))
      const ticket = Redacted.value(yield* tickets.issue({ room: "attic" }))
      assert.strictEqual((yield* get(`/cellar?ticket=${ticket}`)).status, 403)
      // it was spent there
      assert.strictEqual((yield* get(`/attic?ticket=${ticket}`)).status, 401)
      const another = Redacted.value(yield* tickets.issue({ room: "attic" }))
      assert.strictEqual((yield* get(`/attic?ticket=${another}`)).frame, 'Text "attic"')
    })
  )
})

describe("the query", () => {
  test(
    "is to have one ticket, and what else it has is not repeated",
    logged((logs) =>
      Effect.gen(function* () {
        const tickets = yield* Ticket.make<User>()
        const { get } = yield* serve(tickets)
        const ticket = yield* issued(tickets)
        const twice = unauthorized("The query has ticket 2 times; it may be there once.")
        const cases: ReadonlyArray<readonly [target: string, expected: Rejection.Rejection]> = [
          ["/", missing],
          ["/?", missing],
          [`/${ticket}`, missing],
          [`/?tickets=${ticket}`, missing],
          [`/?Ticket=${ticket}`, missing],
          [`/?xticket=${ticket}`, missing],
          [`/?%74icket=${ticket}`, missing],
          [`/ticket=${ticket}`, missing],
          [`/?x;ticket=${ticket}`, missing],
          ["/?ticket", malformed],
          ["/?ticket=", malformed],
          [`/?ticket==${ticket}`, malformed],
          [`/?ticket=${ticket}=`, malformed],
          [`/?ticket=${ticket.slice(1)}`, malformed],
          [`/?ticket=${ticket}A`, malformed],
          [`/?ticket=${ticket}%0A`, malformed],
          [`/?ticket=%${ticket.charCodeAt(0).toString(16)}${ticket.slice(1)}`, malformed],
          [`/?ticket=${ticket.slice(2)}+/`, malformed],
          [`/?ticket=${ticket.slice(0, 37)}%C3%A9`, malformed],
          [`/?ticket=${ticket.repeat(180)}`, malformed],
          [`/?ticket=${ticket}&ticket=${ticket}`, twice],
          [`/?ticket=${ticket}&x=1&ticket=${forged}`, twice],
          [`/?ticket&ticket=${ticket}`, twice],
          [`/?ticket=&ticket=&ticket=${ticket}`, unauthorized("The query has ticket 3 times; it may be there once.")]
        ]
        for (const [target, expected] of cases) {
          assert.strictEqual((yield* get(target)).text, bytesOf(expected), target.slice(0, 200))
        }
        const tooLong = yield* get(`/?ticket=${ticket.repeat(200)}`)
        assert.strictEqual(tooLong.status, 414)
        const notAscii = yield* get(`/?ticket=${ticket.slice(0, 42)}\u00e9`)
        assert.strictEqual(notAscii.status, 400)
        for (const { text } of [tooLong, notAscii, ...logs]) assert.notInclude(text, ticket.slice(1, 30))
        // refusals are logged at this level, so that it would be seen
        assert.isTrue(logs.some(({ text }) => text.includes("refused with 401")))

        // nothing of that has used the ticket up
        assert.strictEqual((yield* get(`/?a&=&ticket=${ticket}&`)).status, 101)
        for (const { text } of logs) assert.notInclude(text, ticket)
      })
    )
  )

  test(
    "may name it otherwise",
    Effect.gen(function* () {
      const tickets = yield* Ticket.make<User>({ parameter: "t" })
      const { get } = yield* serve(tickets)
      const ticket = yield* issued(tickets)
      const wanted = unauthorized("A ticket is wanted in the query of the target: ?t=...")
      assert.strictEqual((yield* get(`/?ticket=${ticket}`)).text, bytesOf(wanted))
      assert.strictEqual((yield* get(`/?ticket=x&t=${ticket}&ticket=y`)).status, 101)
    })
  )

  test(
    "is not repeated by the checks that come before `authenticate` either (RFC 9110 §17.9)",
    logged((logs) =>
      Effect.gen(function* () {
        const tickets = yield* Ticket.make<User>()
        const { address } = yield* serve(tickets)
        const ticket = yield* issued(tickets)
        const request = Buffer.from(Peer.request(`/?ticket=${ticket}#x`)).toString("latin1")
        for (const changed of [request, request.replace("#x", " "), request.replace("#x", "\u00e9")]) {
          const { status, text } = yield* ask(address, latin1(changed))
          assert.strictEqual(status, 400)
          for (const said of [text, ...logs.map(({ text }) => text)]) assert.notInclude(said, ticket)
        }
      })
    )
  )

  test(
    "is not in what a client is told that could not connect",
    Effect.gen(function* () {
      const network = yield* Network.Network
      const { address } = yield* network.listen({})
      const url = urlOf(address, `/?ticket=${forged}`)
      const silent = yield* Effect.fork(Effect.flip(WebSocketClient.connect(url)))
      yield* turns()
      yield* TestClock.adjust("10 seconds")
      const errors = yield* Effect.forEach([`${url}#x`, `x${url}`, url.replace("ws:", "http:")], (url) =>
        Effect.flip(WebSocketClient.connect(url))
      )
      for (const error of [yield* Fiber.join(silent), ...errors]) assert.notInclude(String(error), forged)
    })
  )
})

describe("the store", () => {
  test(
    "in memory has room for so many, and refuses to issue more",
    Effect.gen(function* () {
      const store = yield* Ticket.makeMemoryStore<User>({ maxTickets: 3 })
      const tickets = yield* Ticket.make({ store })
      const { get } = yield* serve(tickets)
      const first = yield* issued(tickets)
      yield* TestClock.adjust("10 seconds")
      const second = yield* issued(tickets)
      yield* issued(tickets)
      const full = new Ticket.TicketError({ reason: "StoreFull", detail: "3 tickets are kept, as many as may be" })
      assert.deepStrictEqual(yield* Effect.flip(tickets.issue(ada)), full)

      // what is valid stays, and what was used makes room
      assert.strictEqual((yield* get(`/?ticket=${second}`)).status, 101)
      yield* issued(tickets)
      assert.strictEqual((yield* Effect.flip(tickets.issue(ada))).reason, "StoreFull")

      // so does what has expired
      yield* TestClock.adjust("20 seconds")
      const last = yield* issued(tickets)
      assert.strictEqual((yield* Effect.flip(tickets.issue(ada))).reason, "StoreFull")
      assert.strictEqual((yield* get(`/?ticket=${first}`)).status, 401)
      assert.strictEqual((yield* get(`/?ticket=${last}`)).status, 101)
    })
  )

  test(
    "in memory makes room of what has expired, also behind what has not",
    Effect.gen(function* () {
      const store = yield* Ticket.makeMemoryStore<User>({ maxTickets: 3 })
      const long = yield* Ticket.make({ store, lifetime: "1 minute" })
      const short = yield* Ticket.make({ store, lifetime: "1 second" })
      const first = yield* issued(long)
      yield* Effect.replicateEffect(issued(short), 2)
      yield* TestClock.adjust("1 second")
      yield* Effect.replicateEffect(issued(long), 2)
      assert.strictEqual((yield* Effect.flip(long.issue(ada))).reason, "StoreFull")
      assert.deepStrictEqual(yield* short.authenticate({ resource: `/?ticket=${first}` }), ada)
    })
  )

  test(
    "in memory is bounded where nothing was said",
    Effect.gen(function* () {
      const tickets = yield* Ticket.make<User>()
      yield* Effect.replicateEffect(tickets.issue(ada), 16 * 1024, { discard: true })
      assert.strictEqual((yield* Effect.flip(tickets.issue(ada))).detail, "16384 tickets are kept, as many as may be")
      const store = yield* Ticket.makeMemoryStore<User>({ maxTickets: "unbounded" })
      yield* Effect.replicateEffect((yield* Ticket.make({ store })).issue(ada), 16 * 1024 + 1, { discard: true })
    })
  )

  test(
    "is shared by servers that are given the same",
    Effect.gen(function* () {
      const store = yield* Ticket.makeMemoryStore<User>()
      const tickets = yield* Effect.replicateEffect(Ticket.make({ store }), 3)
      const [, one, other] = yield* Effect.forEach(tickets, (tickets) => serve(tickets))
      const ticket = yield* issued(tickets[0]!)
      const statuses = yield* Effect.forEach([one!, other!, one!], ({ get }) => get(`/?ticket=${ticket}`))
      assert.deepStrictEqual(
        statuses.map(({ status }) => status),
        [101, 401, 401]
      )
    })
  )

  test(
    "sees the hash of a ticket and not the ticket",
    Effect.gen(function* () {
      const seen: Array<string> = []
      const store: Ticket.Store<User> = {
        put: (hash) => Effect.sync(() => seen.push(hash)),
        take: (hash) => Effect.sync(() => Option.as(Option.some(seen.push(hash)), ada))
      }
      const tickets = yield* Ticket.make({ store })
      const { get } = yield* serve(tickets)
      // SHA-256 of the text, as any other program computes it
      const zeros = yield* Effect.provideService(issued(tickets), Entropy, (size) => new Uint8Array(size))
      assert.strictEqual(zeros, forged)
      yield* get(`/?ticket=${zeros}`)
      const hash = "0f007385b6f9d4b7eeb2748605afe1a984a0a3bfa3f014d09e2a784ce9e5cd1a"
      assert.deepStrictEqual(seen, [hash, hash])
    })
  )

  for (const reason of ["Store", "StoreFull"] as const) {
    test(
      `that fails with ${reason} is a 503 for the client, and a warning in the log`,
      logged((logs) =>
        Effect.gen(function* () {
          const failure = new Ticket.TicketError({ reason, detail: "no", cause: new Error("ECONNREFUSED") })
          const tickets = yield* Ticket.make<User>({
            store: { put: () => Effect.fail(failure), take: () => Effect.fail(failure) }
          })
          const { get } = yield* serve(tickets)
          assert.strictEqual(yield* Effect.flip(tickets.issue(ada)), failure)
          const answer = yield* get(`/?ticket=${forged}`)
          assert.strictEqual(answer.text, bytesOf(new Rejection.Unavailable({ retryAfter: 1 })))
          const [warning, ...others] = logs.filter(({ level }) => level === "WARN" || level === "ERROR")
          assert.deepStrictEqual([warning?.level, others.length], ["WARN", 0])
          assert.include(warning?.text, "TicketError")
          for (const { text } of logs) assert.notInclude(text, forged)
        })
      )
    )
  }

  test(
    "that dies is a 500, as all that an application gets wrong",
    logged(() =>
      Effect.gen(function* () {
        const die = () => Effect.die(new Error("a bug"))
        const { get } = yield* serve(yield* Ticket.make<User>({ store: { put: die, take: die } }))
        assert.strictEqual((yield* get(`/?ticket=${forged}`)).status, 500)
      })
    )
  )

  /** What may be done to tickets of two lifetimes in one store. */
  const steps = FastCheck.array(
    FastCheck.oneof(
      FastCheck.record({ do: FastCheck.constant("issue" as const), of: FastCheck.nat({ max: 1 }) }),
      FastCheck.record({ do: FastCheck.constant("use" as const), of: FastCheck.nat({ max: 12 }) }),
      FastCheck.record({ do: FastCheck.constant("wait" as const), of: FastCheck.nat({ max: 40 }) })
    ),
    { maxLength: 40 }
  )
  const lifetimes = [10, 35]
  const maxTickets = 3

  it.prop(
    "lets each ticket in once, in its time, and keeps no more than it may",
    [steps],
    ([steps]) => {
      let now = 0
      const clock: Clock.Clock = Object.assign(Clock.make(), {
        unsafeCurrentTimeMillis: () => now,
        currentTimeMillis: Effect.sync(() => now)
      })
      const run = <A, E>(effect: Effect.Effect<A, E>) => Effect.runSyncExit(Effect.withClock(effect, clock))
      const program = Effect.gen(function* () {
        const store = yield* Ticket.makeMemoryStore<User>({ maxTickets })
        return yield* Effect.forEach(lifetimes, (lifetime) => Ticket.make({ store, lifetime }))
      })
      const tickets = Effect.runSync(program)
      /** What was issued, and until when it is good. */
      const model: Array<{ readonly ticket: string; readonly name: string; until: number }> = []
      for (const { do: what, of } of steps) {
        if (what === "wait") {
          now += of
        } else if (what === "issue") {
          const name = `user ${model.length}`
          const exit = run(issued(tickets[of]!, { name }))
          const isFull = model.filter(({ until }) => until > now).length === maxTickets
          assert.strictEqual(exit._tag, isFull ? "Failure" : "Success")
          if (exit._tag === "Success") model.push({ ticket: exit.value, name, until: now + lifetimes[of]! })
        } else {
          const entry = model[of]
          if (entry === undefined) continue
          const exit = run(tickets[of % 2]!.authenticate({ resource: `/?ticket=${entry.ticket}` }))
          const isGood = entry.until > now
          assert.isTrue(Equal.equals(exit, isGood ? exit : Exit.fail(notValid)), `${exit}`)
          if (isGood) assert.deepStrictEqual(exit, Exit.succeed({ name: entry.name }))
          entry.until = 0
        }
      }
    },
    { fastCheck: { numRuns: 500 } }
  )
})
