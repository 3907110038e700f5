// The page: one WebSocket to talk (/chat), and one to watch the frames of the first (/wire). No framework, no build.

const $ = (id) => document.getElementById(id)

const element = (tag, className, text = "") => {
  const made = document.createElement(tag)
  made.className = className
  // Text is never taken for HTML, whoever wrote it.
  made.textContent = text
  return made
}

const pick = (words) => words[Math.floor(Math.random() * words.length)]

const randomName = () =>
  `${pick(["Quiet", "Brave", "Merry", "Swift", "Gentle", "Curious", "Sunny", "Patient"])} ${pick([
    "Otter",
    "Heron",
    "Badger",
    "Beaver",
    "Swallow",
    "Hedgehog",
    "Salmon",
    "Kingfisher"
  ])}`

const base = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}`

// --- the chat ---

let chat
let me
let members = new Map()
/** The name and the room that were asked for: after a reconnect they are asked for again. */
let wanted
let attempts = 0

const setStatus = (state, text) => {
  $("status").dataset.state = state
  $("status").textContent = text
}

const send = (message) => chat.send(JSON.stringify(message))

const connect = () => {
  setStatus("connecting", "connecting")
  chat = new WebSocket(`${base}/chat`, "chat.v1")
  chat.onmessage = ({ data }) => {
    const message = JSON.parse(data)
    receive[message._tag](message)
  }
  chat.onclose = ({ code, reason }) => {
    // 0.5 s, 1 s, 2 s and so on, at most 15 s; a little more or less, so that pages do not come back all at once
    const delay = Math.min(15, 0.5 * 2 ** attempts++) * (0.8 + 0.4 * Math.random())
    const why = [code, reason].filter(Boolean).join(" ")
    setStatus("lost", `closed (${why}), again in ${Math.max(1, Math.round(delay))} s`)
    setTimeout(connect, delay * 1000)
  }
}

const receive = {
  Hello: ({ id, request, response, subprotocol }) => {
    me = id
    attempts = 0
    setStatus("open", "connected")
    showHandshake(request, response, subprotocol)
    watch(request)
    if (wanted !== undefined) send({ _tag: "Join", ...wanted })
  },
  Room: ({ members: list, room }) => {
    members = new Map(list.map((member) => [member.id, member]))
    if (room !== $("room-name").textContent) $("log").replaceChildren()
    $("room-name").textContent = room
    document.title = `${room} - sluice chat`
    $("join").hidden = true
    $("inside").hidden = false
    showMembers()
    note(list.length === 1 ? "You are the first here." : `You are here with ${list.length - 1} more.`)
    $("text").focus()
  },
  Joined: ({ member }) => {
    members.set(member.id, member)
    showMembers()
    note(`${member.name} came in`)
  },
  Left: ({ member }) => {
    members.delete(member.id)
    showMembers()
    note(`${member.name} left`)
  },
  Said: ({ from, text }) => {
    const item = element("li", from.id === me ? "said mine" : "said")
    item.append(element("span", "name", from.name), face(from), element("p", "", text))
    addTo($("log"), item)
  },
  Problem: ({ detail }) => note(detail, "note problem")
}

const face = ({ id, name }) => {
  const made = element("span", "face", [...name][0].toUpperCase())
  made.style.setProperty("--hue", (id * 137) % 360)
  made.ariaHidden = "true"
  return made
}

const showMembers = () => {
  $("members").replaceChildren(
    ...[...members.values()].map((member) => {
      const item = element("li", member.id === me ? "me" : "")
      item.append(face(member), member.id === me ? `${member.name} (you)` : member.name)
      return item
    })
  )
}

const note = (text, className = "note") => addTo($("log"), element("li", className, text))

/** Adds to a list, and follows its end unless somebody has scrolled up to read. */
const addTo = (list, item) => {
  const follows = list.scrollHeight - list.scrollTop - list.clientHeight < 40
  list.append(item)
  while (list.childElementCount > 500) list.firstElementChild.remove()
  if (follows) list.scrollTop = list.scrollHeight
}

$("join").onsubmit = (event) => {
  event.preventDefault()
  wanted = { name: $("name").value, room: $("room").value }
  sessionStorage.setItem("name", wanted.name)
  history.replaceState(null, "", `#${encodeURIComponent(wanted.room)}`)
  if (chat.readyState === WebSocket.OPEN) send({ _tag: "Join", ...wanted })
}

$("say").onsubmit = (event) => {
  event.preventDefault()
  const text = $("text").value
  if (text.trim() === "" || chat.readyState !== WebSocket.OPEN) return
  send({ _tag: "Say", text })
  $("text").value = ""
}

$("change").onclick = () => {
  $("inside").hidden = true
  $("join").hidden = false
  $("name").focus()
}

// --- under the hood ---

const showHandshake = (request, response, subprotocol) => {
  showHead($("request"), request)
  showHead($("response"), response)
  $("subprotocol").textContent = subprotocol
}

/** A start line, then fields; those of the handshake stand out, the others take one line each. */
const showHead = (block, head) => {
  const [start, ...fields] = head.trimEnd().split("\r\n")
  block.replaceChildren(element("span", "start", start))
  for (const field of fields) {
    const [, name, value] = /^([^:]*:)(.*)$/.exec(field)
    const isOwn = /^(sec-websocket-.*|upgrade|connection|host|origin):$/i.test(name)
    const line = element("span", isOwn ? "own" : "other")
    line.title = field
    line.append(element("span", "field", name), value)
    block.append(line)
  }
}

/** The server knows this connection by its key, which it told to nobody else. */
const watch = (request) => {
  const [, key] = /^sec-websocket-key: *(.*)$/im.exec(request)
  const wire = new WebSocket(`${base}/wire?of=${encodeURIComponent(key.trim())}`, "wire.v1")
  let count = 0
  if ($("frames").childElementCount > 0) addTo($("frames"), element("li", "divider", "a new connection"))
  wire.onmessage = ({ data }) => {
    count++
    $("watching").textContent = count === 1 ? "1 has passed" : `${count} have passed`
    showFrame(JSON.parse(data))
  }
  wire.onclose = () => addTo($("frames"), element("li", "divider", "the watching has ended"))
}

const showFrame = ({ at, fin, from, header, length, masked, opcode, preview }) => {
  const item = $("frame").content.cloneNode(true).firstElementChild
  const set = (selector, text) => {
    item.querySelector(selector).textContent = text
  }
  item.dataset.from = from
  item.dataset.opcode = opcode
  item.classList.toggle("control", ["Close", "Ping", "Pong"].includes(opcode))
  item.querySelector(".arrow").classList.add(from)
  set(".who > span", from === "client" ? "page" : "server")
  set(".opcode", opcode)
  set(".flags", [fin ? "FIN" : "more", masked ? "MASK" : "no mask"].join(" · "))
  set(".length", `${length} B`)
  set("time", new Date(at).toLocaleTimeString([], { hour12: false }))
  set(".header", header)
  set(".preview", preview)
  item.querySelector(".preview").title = preview
  addTo($("frames"), item)
}

// --- start ---

/** The room that the address names, so that a link leads into it. */
const roomOfAddress = () => {
  try {
    return decodeURIComponent(location.hash.slice(1)).slice(0, 32)
  } catch {
    return ""
  }
}

$("name").value = sessionStorage.getItem("name") ?? randomName()
$("room").value = roomOfAddress() || "lobby"
$("name").select()
connect()
