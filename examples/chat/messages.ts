/**
 * What is said in `chat.v1`: JSON messages, described once, for both ends.
 *
 * A `Schema` is a type and a check in one. Inside the program there are only values of these types; JSON, and whatever
 * a stranger may send instead, ends at `decode`.
 */
import { Schema } from "effect"

/** What people call themselves and their rooms. */
const Name = Schema.Trim.pipe(Schema.minLength(1), Schema.maxLength(32))

/** Somebody in a room. Names may be taken twice, so everybody has a number too. */
export const Member = Schema.Struct({ id: Schema.Number, name: Schema.String })
export type Member = typeof Member.Type

/** From the client: enters a room, and leaves the one it was in. */
const Join = Schema.TaggedStruct("Join", { name: Name, room: Name })

/** From the client: says something in its room. */
const Say = Schema.TaggedStruct("Say", { text: Schema.Trim.pipe(Schema.minLength(1), Schema.maxLength(2000)) })

/** All that a client may send. */
export const Incoming = Schema.Union(Join, Say)
export type Incoming = typeof Incoming.Type

/** The first message to everybody: who they are, and how the connection was opened. */
const Hello = Schema.TaggedStruct("Hello", {
  id: Schema.Number,
  /** The heads of the opening handshake as they were sent. */
  request: Schema.String,
  response: Schema.String,
  subprotocol: Schema.String
})

/** The answer to `Join`: who is in the room, oneself included. */
const Room = Schema.TaggedStruct("Room", { room: Schema.String, members: Schema.Array(Member) })

/** Somebody else came into the room. */
const Joined = Schema.TaggedStruct("Joined", { member: Member })

/** Somebody else left the room, or was lost. */
const Left = Schema.TaggedStruct("Left", { member: Member })

/** Somebody said something; oneself hears it too. */
const Said = Schema.TaggedStruct("Said", { from: Member, text: Schema.String })

/** What the client sent makes no sense, and why. */
const Problem = Schema.TaggedStruct("Problem", { detail: Schema.String })

/** All that the server may send. */
export const Outgoing = Schema.Union(Hello, Room, Joined, Left, Said, Problem)
export type Outgoing = typeof Outgoing.Type

/** For the server: JSON into a message of a client, or a `ParseError`. */
export const decodeIncoming = Schema.decode(Schema.parseJson(Incoming))

/** For the server: its own messages are right by their type, so this cannot fail. */
export const encodeOutgoing = Schema.encodeSync(Schema.parseJson(Outgoing))

/** For a client: JSON into a message of the server, or a `ParseError`. */
export const decodeOutgoing = Schema.decode(Schema.parseJson(Outgoing))

/** For a client; throws where a name or a text is too long, or not trimmed. */
export const encodeIncoming = Schema.encodeSync(Schema.parseJson(Incoming))
