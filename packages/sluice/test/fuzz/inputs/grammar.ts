/** Texts: a byte for the grammar, one for the bytes of a code unit, then the text. */
import { concat } from "../../support/bytes.js"
import { latin1 } from "../../support/http.js"
import { type Inputs, split } from "../target.js"

const texts = {
  extensions: [
    "permessage-deflate; client_max_window_bits; server_max_window_bits=10, permessage-deflate",
    'a; b="c\\d" ;e = f,,\t,g',
    'a;b="c d"',
    'a; b="',
    "a\nb; c=d\n"
  ],
  list: split('foo ,bar,|a="1, 2", b|"a\\", b", c|"a\\|a, b\nc\n, d|,\t,|\0'),
  subprotocols: split("chat.v1, chat.v2|a, a|a b|a\nb|, ,|\0"),
  item: split('a|a;b=c; d="e\\"f,";g|a b|;|a;b="c'),
  fields: split("Name: value|X:\t|a b: c|X: a\0b|X: \u00e9 \u00ff |1234567890|99999999999999999999"),
  target: split("GET /a?b={c}|GET http://a:80/b?c|HTTP://[::1]?|CONNECT a:1|OPTIONS *|GET *|GET /#|POST x"),
  authority: split("Example.COM:80|[::1]:8080|[::FFFF:1.2.3.4]|a%2f|a%2|a:65536|a:||:80|[]|[:"),
  origin: [
    ...split(
      "http://a:80 a|https://[::1] [0:0::1]:443|http://a HTTP://A:80|null null|http://u@a a|http://a/ a|http://a? a"
    ),
    "chrome-extension://x Chrome-Extension://X"
  ],
  protocols: split("websocket|h2c, HTTP/2.0,websocket/13|a b|,|a/|\0")
}

/** From here on a code unit has two bytes, the first the higher one. */
export const wide = 0x80

/** Which grammar. */
export type Name = keyof typeof texts

export const names = Object.keys(texts) as ReadonlyArray<Name> // its own keys

const seeds = (): ReadonlyArray<Uint8Array> =>
  names.flatMap((name, option) =>
    texts[name].flatMap((text) => [
      concat([Uint8Array.of(option, 0), latin1(text)]),
      concat([Uint8Array.of(option, wide), Uint8Array.from([...latin1(text)].flatMap((unit) => [0, unit]))])
    ])
  )

const words = [
  ...split(',|, |;|; |=|"|\\|\\"|",|\n| |\t|\0|\u007f|\u00e9|\u00ff|/|:|#|@|?|%|%41'),
  ...split('permessage-deflate|client_max_window_bits|server_no_context_takeover|__proto__|a;b=c|d="e"|websocket'),
  ...split("http://|https://|ws://|[::1]|::|:443|:80|:0|1.2.3.4|0x7f.1|xn--|CONNECT |OPTIONS *|null"),
  ...split("0|00000000|65535|9007199254740993")
].map(latin1)

export const inputs: Inputs = { seeds, words, maxSize: 64 * 1024 }
