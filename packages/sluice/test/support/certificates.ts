/** Certificates for tests of TLS, made anew for each run. */
import { generate } from "selfsigned"

const day = 24 * 60 * 60 * 1000

const made = {
  keyType: "ec",
  curve: "P-256",
  algorithm: "sha256",
  notBeforeDate: new Date(Date.now() - day),
  notAfterDate: new Date(Date.now() + day)
} as const

const named = (name: string) => [{ name: "commonName", value: name }]

const authority = await generate(named("sluice tests"), {
  ...made,
  extensions: [
    { name: "basicConstraints", cA: true, critical: true },
    { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true }
  ]
})

const signed = async (name: string, validity: { readonly notBeforeDate: Date; readonly notAfterDate: Date } = made) => {
  const { cert, private: key } = await generate(named(name), {
    ...made,
    ...validity,
    ca: { key: authority.private, cert: authority.cert },
    extensions: [
      { name: "basicConstraints", cA: false },
      { name: "extKeyUsage", serverAuth: true, clientAuth: true },
      {
        name: "subjectAltName",
        altNames: [
          { type: 2, value: name },
          { type: 7, ip: "127.0.0.1" },
          { type: 7, ip: "::1" }
        ]
      }
    ]
  })
  return { cert, key }
}

/** Who has signed the others. */
export const ca = authority.cert

/** For `localhost`, `127.0.0.1` and `::1`. */
export const server = await signed("localhost")

export const client = await signed("ada")

/** Not valid any more. */
export const expired = await signed("localhost", {
  notBeforeDate: new Date(Date.now() - 2 * day),
  notAfterDate: new Date(Date.now() - day)
})
