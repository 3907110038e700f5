/**
 * The close codes of RFC 6455 §7.4 with the later entries of the IANA registry, and what may be done with each.
 *
 * The module also holds the one table from a broken rule to the code that the peer is told. It does not close anything.
 *
 * @since 0.1.0
 */

/**
 * The purpose of the connection was fulfilled (RFC 6455 §7.4.1).
 *
 * @category constants
 * @since 0.1.0
 */
export const NormalClosure = 1000

/**
 * The endpoint goes away: a server shuts down, a browser leaves the page (RFC 6455 §7.4.1).
 *
 * @category constants
 * @since 0.1.0
 */
export const GoingAway = 1001

/**
 * The peer broke the framing protocol (RFC 6455 §7.4.1).
 *
 * @category constants
 * @since 0.1.0
 */
export const ProtocolError = 1002

/**
 * The peer sent a type of message that is not accepted (RFC 6455 §7.4.1).
 *
 * @category constants
 * @since 0.1.0
 */
export const UnsupportedData = 1003

/**
 * No code was in the Close frame; never sent (RFC 6455 §7.4.1).
 *
 * @category constants
 * @since 0.1.0
 */
export const NoStatusRcvd = 1005

/**
 * The connection ended without a Close frame; never sent (RFC 6455 §7.4.1).
 *
 * @category constants
 * @since 0.1.0
 */
export const AbnormalClosure = 1006

/**
 * A message held what its type does not allow, such as invalid UTF-8 in a text (RFC 6455 §7.4.1).
 *
 * @category constants
 * @since 0.1.0
 */
export const InvalidFramePayloadData = 1007

/**
 * The peer broke a policy for which there is no better code (RFC 6455 §7.4.1).
 *
 * @category constants
 * @since 0.1.0
 */
export const PolicyViolation = 1008

/**
 * A message was too big (RFC 6455 §7.4.1).
 *
 * @category constants
 * @since 0.1.0
 */
export const MessageTooBig = 1009

/**
 * A client misses an extension in the answer of the server (RFC 6455 §7.4.1).
 *
 * @category constants
 * @since 0.1.0
 */
export const MandatoryExtension = 1010

/**
 * The server met a condition that it did not expect (RFC 6455 §7.4.1).
 *
 * @category constants
 * @since 0.1.0
 */
export const InternalError = 1011

/**
 * The service restarts; come back after a random delay (IANA registry).
 *
 * @category constants
 * @since 0.1.0
 */
export const ServiceRestart = 1012

/**
 * The service is overloaded; come back later (IANA registry).
 *
 * @category constants
 * @since 0.1.0
 */
export const TryAgainLater = 1013

/**
 * A gateway got an invalid answer from its upstream server (IANA registry).
 *
 * @category constants
 * @since 0.1.0
 */
export const BadGateway = 1014

/**
 * The TLS handshake failed; never sent (RFC 6455 §7.4.1).
 *
 * @category constants
 * @since 0.1.0
 */
export const TlsHandshake = 1015

const names: ReadonlyMap<number, string> = new Map([
  [NormalClosure, "Normal Closure"],
  [GoingAway, "Going Away"],
  [ProtocolError, "Protocol error"],
  [UnsupportedData, "Unsupported Data"],
  [1004, "Reserved"],
  [NoStatusRcvd, "No Status Rcvd"],
  [AbnormalClosure, "Abnormal Closure"],
  [InvalidFramePayloadData, "Invalid frame payload data"],
  [PolicyViolation, "Policy Violation"],
  [MessageTooBig, "Message Too Big"],
  [MandatoryExtension, "Mandatory Ext."],
  [InternalError, "Internal Error"],
  [ServiceRestart, "Service Restart"],
  [TryAgainLater, "Try Again Later"],
  [BadGateway, "Bad Gateway"],
  [TlsHandshake, "TLS handshake"]
])

/**
 * The name of a close code in the IANA registry, or the range of RFC 6455 §7.4.2 to which it belongs.
 *
 * @example
 * ```ts
 * import { CloseCode } from "sluice"
 *
 * CloseCode.name(1001) // "Going Away"
 * CloseCode.name(4000) // "Private Use"
 * ```
 *
 * @category getters
 * @since 0.1.0
 */
export const name = (code: number): string =>
  names.get(code) ??
  (code >= 1000 && code < 3000
    ? "Unassigned"
    : code >= 3000 && code < 4000
      ? "Registered Use"
      : code >= 4000 && code < 5000
        ? "Private Use"
        : "Invalid")

// RFC 6455 §7.4.1: 1004 is reserved; 1005, 1006 and 1015 MUST NOT be set in a Close frame by an endpoint.
const neverOnTheWire: ReadonlySet<number> = new Set([1004, NoStatusRcvd, AbnormalClosure, TlsHandshake])

const isOnTheWire = (code: number): boolean =>
  Number.isInteger(code) &&
  code >= 1000 &&
  code < 5000 &&
  (code >= 3000 || (names.has(code) && !neverOnTheWire.has(code)))

/**
 * Whether an endpoint may put the code in a Close frame (RFC 6455 §7.4.1, §7.4.2).
 *
 * @example
 * ```ts
 * import { CloseCode } from "sluice"
 *
 * CloseCode.isSendable(1000) // true
 * CloseCode.isSendable(1005) // false: it says that there was no code
 * CloseCode.isSendable(4999) // true: private use
 * ```
 *
 * @category predicates
 * @since 0.1.0
 */
export const isSendable = (code: number): boolean => isOnTheWire(code)

/**
 * Whether a Close frame of the peer may hold the code (RFC 6455 §7.4); every other code is a protocol error.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isReceivable = (code: number): boolean => isOnTheWire(code)

/**
 * From each rule that a peer can break to the close code that it is told.
 *
 * @category constants
 * @since 0.1.0
 */
export const forViolation = {
  // framing, RFC 6455 §5.2 to §5.5
  ReservedBit: ProtocolError,
  ReservedOpcode: ProtocolError,
  NonMinimalLength: ProtocolError,
  LengthOverflow: ProtocolError,
  UnmaskedFrame: ProtocolError,
  MaskedFrame: ProtocolError,
  FragmentedControlFrame: ProtocolError,
  ControlFrameTooLong: ProtocolError,
  UnexpectedEnd: ProtocolError,
  FrameTooBig: MessageTooBig,
  // messages, RFC 6455 §5.4, §8.1
  UnexpectedContinuation: ProtocolError,
  ExpectedContinuation: ProtocolError,
  InvalidUtf8: InvalidFramePayloadData,
  MessageTooBig,
  TooManyFragments: PolicyViolation,
  // the Close frame, RFC 6455 §5.5.1, §7.4
  InvalidClosePayload: ProtocolError,
  InvalidCloseCode: ProtocolError,
  InvalidCloseReason: InvalidFramePayloadData,
  // policies of this endpoint
  TooManyControlFrames: PolicyViolation,
  MessageTimeout: PolicyViolation,
  TooManyMessages: PolicyViolation,
  TooManyPinnedBytes: TryAgainLater,
  TooManyPendingBytes: TryAgainLater
} as const
