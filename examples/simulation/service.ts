/**
 * A till: customers pay over a WebSocket, and the answer says that the payment is booked.
 *
 * A customer who loses the connection before the answer cannot know whether the payment was booked: connects again, and
 * pays again. That is why payments have numbers. One of the two tills below looks at them.
 */
import { Effect, Ref, Schedule, Schema } from "effect"
import { Message, WebSocket, WebSocketClient, WebSocketServer } from "sluice"

const Payment = Schema.Struct({ from: Schema.String, number: Schema.Int, amount: Schema.Int })
export type Payment = typeof Payment.Type

const decode = Schema.decode(Schema.parseJson(Payment))
const encode = Schema.encodeSync(Schema.parseJson(Payment))

/** What the till has booked. */
export interface Ledger {
  readonly total: number
  /** The number of the last payment of each customer. */
  readonly last: Readonly<Record<string, number>>
}

export const empty: Ledger = { total: 0, last: {} }

/** How a payment changes the ledger. */
export type Book = (ledger: Ledger, payment: Payment) => Ledger

/** The bug: what comes twice is booked twice. */
export const bookBuggy: Book = ({ last, total }, { amount, from, number }) => ({
  total: total + amount,
  last: { ...last, [from]: number }
})

/** The fix: what was booked before is answered, but not booked again. */
export const bookFixed: Book = (ledger, payment) =>
  payment.number <= (ledger.last[payment.from] ?? 0) ? ledger : bookBuggy(ledger, payment)

/** The service. It knows nothing of networks and simulations. */
export const serve = (ledger: Ref.Ref<Ledger>, book: Book) =>
  WebSocketServer.serve({ port: 80 }, (socket) =>
    WebSocket.runForEach(socket, (message) =>
      Effect.gen(function* () {
        const payment = yield* decode(Message.isText(message) ? message.text : "")
        yield* Ref.update(ledger, (before) => book(before, payment))
        yield* socket.send(`booked ${payment.number}`)
      })
    )
  )

/** Pays one amount after the other. Who loses the connection connects again, and goes on where there is no answer yet. */
export const pay = (url: string, from: string, amounts: ReadonlyArray<number>) =>
  Effect.suspend(() => {
    let answered = 0
    return Effect.gen(function* () {
      const socket = yield* WebSocketClient.connect(url)
      for (const [index, amount] of amounts.entries()) {
        if (index < answered) continue
        yield* socket.send(encode({ from, number: index + 1, amount }))
        yield* socket.take
        answered++
      }
    }).pipe(Effect.scoped, Effect.retry(Schedule.jittered(Schedule.spaced("1 second"))))
  })
