/**
 * Tickets: one-time credentials in the query of the target, for browsers, which cannot set a field on a WebSocket.
 *
 * A page asks for a ticket over HTTP, where it can authenticate as it always does, and connects to
 * `wss://example.com/chat?ticket=...` with it. `issue` makes a ticket for a principal; `authenticate` takes it in, once
 * and before it expires. RFC 9110 §17.9: "Many servers, proxies, and user agents log or display the target URI": what can
 * be read there later was used, or has expired.
 *
 * The origin and the subprotocols are checked before `authenticate`, so that a foreign page uses up no ticket. From then
 * on a ticket is spent whatever becomes of the handshake: a client that leaves, or a handshake that runs out of time,
 * needs another one. The module serves no HTTP route: the application does, and should limit how many tickets one
 * principal asks for.
 *
 * @since 0.1.0
 */
import { sha256 } from "@noble/hashes/sha2"
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Encoding from "effect/Encoding"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { Entropy } from "./Entropy.js"
import * as Limits from "./Limits.js"
import * as Rejection from "./Rejection.js"
import type { Incoming } from "./WebSocketServer.js"

/**
 * Issues tickets and takes them in.
 *
 * @category models
 * @since 0.1.0
 */
export interface Tickets<in out Principal> {
  /**
   * A new ticket for a principal: 256 bits of `Entropy` in base64url, which need no escaping in a query. It is for the
   * page alone: the response that carries it should say `Cache-Control: no-store`.
   */
  readonly issue: (principal: Principal) => Effect.Effect<Redacted.Redacted<string>, TicketError>
  /**
   * The principal of the ticket in the query, for `authenticate` of a server. Fails with `Unauthorized`, which never
   * repeats what was sent and is the same for a ticket that is unknown, was used, or has expired; with `Unavailable`
   * where the store fails.
   */
  readonly authenticate: (
    incoming: Pick<Incoming, "resource">
  ) => Effect.Effect<Principal, Rejection.Unauthorized | Rejection.Unavailable>
}

/**
 * Where tickets are kept. Servers that share one take in the tickets of each other.
 *
 * It sees no ticket, only the SHA-256 of one, in hexadecimal: who reads the store cannot connect with what is in it, and
 * how long a lookup takes says nothing of a ticket.
 *
 * @category models
 * @since 0.1.0
 */
export interface Store<in out Principal> {
  /** Keeps a principal for as long as the ticket may be used. */
  readonly put: (hash: string, principal: Principal, lifetime: Duration.Duration) => Effect.Effect<void, TicketError>
  /**
   * Takes a principal out, in one step: of several calls with one hash one at most gets it, and none after the lifetime.
   */
  readonly take: (hash: string) => Effect.Effect<Option.Option<Principal>, TicketError>
}

/**
 * A ticket could not be issued or looked up.
 *
 * - `StoreFull`: as many tickets are kept as may be. It passes as they are used or expire.
 * - `Store`: the store has failed, as its `cause` says.
 *
 * @category errors
 * @since 0.1.0
 */
export class TicketError extends Data.TaggedError("TicketError")<{
  /** What went wrong. */
  readonly reason: "StoreFull" | "Store"
  /** What went wrong, in words. */
  readonly detail: string
  /** What the store failed with. */
  readonly cause?: unknown
}> {
  /** The detail. */
  override get message(): string {
    return this.detail
  }
}

/**
 * How tickets are issued. All of it may be left out.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options<in out Principal> {
  /** The parameter of the query, as it stands there: nothing is decoded. `ticket` by default. */
  readonly parameter?: string | undefined
  /** How long a ticket may be used; 30 seconds by default. */
  readonly lifetime?: Duration.DurationInput | undefined
  /** Where tickets are kept; in the memory of this process by default. */
  readonly store?: Store<Principal> | undefined
}

/**
 * What holds where nothing else was said.
 *
 * @category constants
 * @since 0.1.0
 */
export const defaults = {
  parameter: "ticket",
  lifetime: Duration.seconds(30),
  maxTickets: 16 * 1024
} as const

/**
 * Issues tickets for principals of one type; the clock and the randomness are those of who calls its functions.
 *
 * What else a ticket is bound to is part of its principal, and is looked at when it comes back.
 *
 * @example
 * ```ts
 * import { Effect, Layer, Context } from "effect"
 * import { Rejection, Ticket, WebSocketServer } from "sluice"
 *
 * interface Guest {
 *   readonly user: string
 *   readonly room: string
 * }
 *
 * class Tickets extends Context.Tag("app/Tickets")<Tickets, Ticket.Tickets<Guest>>() {
 *   static readonly layer = Layer.effect(this, Ticket.make<Guest>({ lifetime: "10 seconds" }))
 * }
 *
 * const server = Effect.gen(function* () {
 *   const tickets = yield* Tickets
 *   return yield* WebSocketServer.serve(
 *     {
 *       port: 8080,
 *       // a ticket is good for one room
 *       authenticate: (incoming) =>
 *         Effect.filterOrFail(
 *           tickets.authenticate(incoming),
 *           ({ room }) => incoming.resource.startsWith(`/${room}?`),
 *           () => new Rejection.Forbidden()
 *         )
 *     },
 *     (socket, { principal }) => socket.send(`Hello, ${principal.user}`)
 *   )
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <Principal>(options: Options<Principal> = {}): Effect.Effect<Tickets<Principal>> =>
  Effect.gen(function* () {
    const { parameter = defaults.parameter } = options
    const lifetime = Duration.decode(options.lifetime ?? defaults.lifetime)
    const store = options.store ?? (yield* makeMemoryStore<Principal>())

    const refuse = (detail: string) => new Rejection.Unauthorized({ challenges: [Rejection.bearer], detail })

    const issue = (principal: Principal) =>
      Effect.gen(function* () {
        const entropy = yield* Entropy
        const ticket = Encoding.encodeBase64Url(entropy(ticketBytes))
        yield* store.put(hashOf(ticket), principal, lifetime)
        return Redacted.make(ticket)
      })

    const redeem = (ticket: string) =>
      Effect.matchEffect(store.take(hashOf(ticket)), {
        onSuccess: Option.match({
          onNone: () => refuse("The ticket is unknown, was used, or has expired. Ask for another."),
          onSome: (principal) => Effect.succeed(principal)
        }),
        onFailure: (error) =>
          Effect.zipRight(
            Effect.logWarning("A ticket could not be looked up", error),
            new Rejection.Unavailable({ retryAfter })
          )
      })

    const authenticate = ({ resource }: Pick<Incoming, "resource">) => {
      const [ticket, ...others] = valuesOf(resource, parameter)
      if (ticket === undefined) return refuse(`A ticket is wanted in the query of the target: ?${parameter}=...`)
      if (others.length > 0) {
        return refuse(`The query has ${parameter} ${others.length + 1} times; it may be there once.`)
      }
      return isTicket(ticket)
        ? redeem(ticket)
        : refuse(`What the query has as ${parameter} is no ticket: that is ${ticketLength} characters of base64url.`)
    }

    return { issue, authenticate }
  })

/** 256 bits: so many that nobody guesses one, whatever number of them is valid. */
const ticketBytes = 32
/** In base64url, without padding. */
const ticketLength = 43
const ticketPattern = new RegExp(`^[A-Za-z0-9_-]{${ticketLength}}$`)

const isTicket = (text: string): boolean => ticketPattern.test(text)

const hashOf = (ticket: string): string => Encoding.encodeHex(sha256(ticket))

/** Seconds after which a store that has failed may work again. */
const retryAfter = 1

/** The values of a parameter, as they stand in the query; one without a value has an empty one. */
const valuesOf = (resource: string, parameter: string): ReadonlyArray<string> => {
  const query = resource.indexOf("?")
  if (query === -1) return []
  return resource
    .slice(query + 1)
    .split("&")
    .flatMap((pair) => {
      const [name] = pair.split("=", 1)
      return name === parameter ? [pair.slice(name.length + 1)] : []
    })
}

/**
 * How a store in memory is made.
 *
 * @category models
 * @since 0.1.0
 */
export interface MemoryStoreOptions {
  /** Tickets that are neither used nor expired; 16,384 by default, about 550 a second if none of them is used. */
  readonly maxTickets?: Limits.Limit | undefined
}

interface Kept<Principal> {
  readonly principal: Principal
  readonly expires: number
}

/**
 * A store in the memory of this process, for tickets that it issues and takes in itself.
 *
 * What has expired makes room. When there is none left `put` fails with `StoreFull`, and nothing that is valid is
 * dropped for it: otherwise one client that asks for many tickets would have those of all others refused, and nobody
 * could tell why. So it is the route that issues tickets that has to say no, and the one that knows who asks too often.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Ticket } from "sluice"
 *
 * const tickets = Effect.flatMap(Ticket.makeMemoryStore<string>({ maxTickets: 100 }), (store) => Ticket.make({ store }))
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeMemoryStore = <Principal>(options: MemoryStoreOptions = {}): Effect.Effect<Store<Principal>> =>
  Effect.sync(() => {
    const { maxTickets = defaults.maxTickets } = options
    // In the order in which they came, which is that in which they expire where all have one lifetime.
    const kept = new Map<string, Kept<Principal>>()

    const isFull = () => Limits.isAbove(kept.size + 1, maxTickets)
    const dropExpired = (now: number): void => {
      for (const [hash, { expires }] of kept) {
        if (expires <= now) kept.delete(hash)
        // Behind one that lives there may be others that do not, which are looked for only if there is no room.
        else if (!isFull()) return
      }
    }

    return {
      put: (hash, principal, lifetime) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) => {
          dropExpired(now)
          if (isFull()) {
            return new TicketError({ reason: "StoreFull", detail: `${maxTickets} tickets are kept, as many as may be` })
          }
          kept.set(hash, { principal, expires: now + Duration.toMillis(lifetime) })
          return Effect.void
        }),
      take: (hash) =>
        Effect.map(Clock.currentTimeMillis, (now) => {
          const found = kept.get(hash)
          kept.delete(hash)
          return found === undefined || found.expires <= now ? Option.none() : Option.some(found.principal)
        })
    }
  })
