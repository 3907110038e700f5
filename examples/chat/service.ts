/**
 * The chat: rooms, who is in them, and what they say to each other.
 *
 * It knows nothing of Node, of HTTP or of sockets. `server.ts` puts it on a web server, `../memory` runs the same
 * service on a network that is only in memory.
 */
import { Effect, Either, Mailbox, Stream } from "effect"
import { CloseCode, Handshake, Http1, Message, Rejection, WebSocket, type WebSocketServer } from "sluice"
import { decodeIncoming, encodeOutgoing, type Incoming, type Member, type Outgoing } from "./messages.js"

/** Which connections are wanted. `as const` makes the subprotocol part of the type of each connection. */
export const options = {
  subprotocols: ["chat.v1"],
  // The type of `socket.subprotocol` is "chat.v1" now, without `undefined`: who does not speak it does not come in.
  subprotocolRequired: true,
  // Decides before the connection is open. What is refused here gets an HTTP reply, and the client sees it as such.
  authenticate: ({ resource }: WebSocketServer.Incoming) =>
    resource === "/chat" ? Effect.void : new Rejection.NotFound({ detail: "The chat is at /chat." }),
  limits: { maxMessageSize: 16 * 1024 }
} as const

/** How many messages may wait for somebody who does not read, before we say good-bye. */
const maxBehind = 256

/** Somebody in a room, and the mailbox through which all messages to them go, in order. */
interface Seat {
  readonly member: Member
  readonly mailbox: Mailbox.Mailbox<Message.Encoded>
}

/** JSON, and the frame around it, made once for all who get the message. */
const encode = (message: Outgoing): Message.Encoded => Message.encode(Message.text(encodeOutgoing(message)))

/** Never waits: who is too far behind loses the connection, so that one slow reader does not hold up the others. */
const post = ({ mailbox }: Pick<Seat, "mailbox">, message: Message.Encoded) =>
  Effect.flatMap(mailbox.offer(message), (taken) => (taken ? Effect.void : mailbox.shutdown))

/** Makes a chat without people: the handler of its connections. Each chat has its own rooms. */
export const make = Effect.sync(() => {
  // Plain values will do: between two effects nobody else runs.
  const rooms = new Map<string, Map<number, Seat>>()

  const seatsIn = (room: string): ReadonlyArray<Seat> => [...(rooms.get(room)?.values() ?? [])]

  const tell = (seats: ReadonlyArray<Seat>, message: Outgoing) => {
    const encoded = encode(message)
    return Effect.forEach(seats, (seat) => post(seat, encoded), { discard: true })
  }

  const enter = (room: string, seat: Seat) => {
    const others = seatsIn(room)
    rooms.set(room, (rooms.get(room) ?? new Map<number, Seat>()).set(seat.member.id, seat))
    return tell(others, { _tag: "Joined", member: seat.member }).pipe(
      Effect.zipRight(tell([seat], { _tag: "Room", room, members: [...others, seat].map(({ member }) => member) }))
    )
  }

  const leave = (room: string, seat: Seat) => {
    const seats = rooms.get(room)
    seats?.delete(seat.member.id)
    if (seats?.size === 0) rooms.delete(room)
    return tell(seatsIn(room), { _tag: "Left", member: seat.member })
  }

  /** Has one connection from beginning to end. */
  return (socket: WebSocket.WebSocket<"chat.v1">, { accepted, id }: WebSocketServer.Connected<"chat.v1">) =>
    Effect.gen(function* () {
      const mailbox = yield* Mailbox.make<Message.Encoded>({ capacity: maxBehind, strategy: "dropping" })
      const answer = (message: Outgoing) => post({ mailbox }, encode(message))
      let place: { readonly room: string; readonly seat: Seat } | undefined

      const quit = Effect.suspend(() => {
        const left = place
        place = undefined
        return left === undefined ? Effect.void : leave(left.room, left.seat)
      })

      const act = (incoming: Incoming): Effect.Effect<void> => {
        switch (incoming._tag) {
          case "Join": {
            const { name, room } = incoming
            const seat = { member: { id, name }, mailbox }
            const join = Effect.suspend(() => {
              place = { room, seat }
              return enter(room, seat)
            })
            return Effect.zipRight(quit, join)
          }
          case "Say":
            return place === undefined
              ? answer({ _tag: "Problem", detail: "Join a room first." })
              : tell(seatsIn(place.room), { _tag: "Said", from: place.seat.member, text: incoming.text })
        }
      }

      const reading = WebSocket.runForEach(socket, (message) =>
        Message.isText(message)
          ? decodeIncoming(message.text).pipe(
              Effect.flatMap(act),
              Effect.catchTag("ParseError", (error) => answer({ _tag: "Problem", detail: error.message }))
            )
          : answer({ _tag: "Problem", detail: "chat.v1 is spoken in text." })
      )

      const writing = Stream.run(Mailbox.toStream(mailbox), WebSocket.sink(socket))

      // Once `post` has given up, the mailbox is shut down; the message that is being sent may never be taken.
      const untilBehind = Effect.raceFirst(writing, mailbox.await).pipe(
        Effect.zipRight(quit),
        Effect.zipRight(socket.close({ code: CloseCode.PolicyViolation, reason: "you read too slowly" }))
      )

      yield* answer({
        _tag: "Hello",
        id,
        request: Either.match(Http1.encodeRequest(accepted.request), { onLeft: String, onRight: toText }),
        response: toText(Handshake.response(accepted)),
        subprotocol: socket.subprotocol
      })
      // Whatever ends the one ends the other, and in any case we leave our room.
      yield* Effect.raceFirst(reading, untilBehind).pipe(Effect.ensuring(quit))
    })
})

const toText = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
