// The page: puts the parts together.

import { Live } from "./live.js";
import { Log, chatMessage } from "./log.js";
import { People } from "./people.js";
import { Sender } from "./sender.js";
import { Channels } from "./channels.js";
import { Composer } from "./composer.js";
import { Remote } from "./remote.js";
import { Account, kept } from "./account.js";
import { Notices } from "./notices.js";
import { drawn, face } from "./picture.js";
import { channelList, channelName, handle } from "./input.js";
import { command, textOf } from "./selector.js";
import { clip, make, problemText } from "./text.js";

const $ = (id) => document.getElementById(id);
const body = document.body;
const own = { user: "", name: "" };
const ownTitle = document.title;
let title = ownTitle;
let lost = false; // the connection, since it was there

const back = kept();
const asked = channelList(new URLSearchParams(location.search).get("channels"));
const initial = [asked, back, channelList(JSON.parse(body.dataset.channels).join(","))].find((names) => names.length > 0);

const log = new Log($("log"), $("more"), {
  me: () => own,
  // Whoever publishes may say what they like: a picture that has to be loaded is taken from presence alone.
  picture: (m) => (drawn(m.picture) ? m.picture : people.picture(m.from)),
  pick: (name) => composer.address(handle(name)),
});
const channels = new Channels($("channels"), show);
const people = new People($("people"), $("count"), {
  channels: () => channels.names,
  active: () => channels.active,
  members: (channel) => live.members(channel),
  me: () => own.user,
  pick: (name) => {
    drawer(false);
    composer.address(handle(name));
  },
});
const composer = new Composer({
  form: $("composer"), field: $("say"), left: $("left"), list: $("suggestions"), limit: Number($("say").dataset.limit),
}, {
  send: (text) => sender.send(text),
  names: () => people.of(channels.active).filter((p) => p.user !== own.user).map((p) => p.name),
});
const notices = new Notices();
const account = new Account($("account"), JSON.parse(body.dataset.signIn), {
  channels: () => channels.names, end: () => live.end(), failed,
});
const remote = new Remote({
  announce,
  tv: (element) => notices.tv(element),
  title: (text) => ((title = text ?? ownTitle), titled()),
  listen: (yes) => (yes ? live.open() : stop("Somebody asked this page to stop listening.")),
  trigger: (detail) => document.dispatchEvent(new CustomEvent("customEvent", { detail })),
  changed: (yes) => ($("undo").hidden = !yes),
});

const live = new Live(initial, {
  hear, state, connected, listed: () => people.changed(),
  ended: (reason, error) => stop(reason === "replaced" ? "Another window took the place of this one." : `The server ended this connection${error?.detail ? `: ${error.detail}` : ""}.`),
});
const sender = new Sender(live, {
  channel: () => channels.active,
  people: () => people.of(channels.active),
  me: () => own.user && own,
  said: (message) => log.message(message), // the stream may be a moment later, or away
  sent: (text, name) => log.line(channels.active, "sent", [text, { name }, "."]),
  wrong: (why) => log.line(channels.active, "error", why),
  failed,
});
for (const name of initial) channels.add(name, log.open(name));
channels.choose(initial[0]);
address();
live.open();

// hear has the page do what comes. What was on its way from a channel that was left is dropped.
function hear(client) {
  const on = (type, f) => client.on(type, (data, event) => (!event.channel || channels.names.includes(event.channel)) && f(data, event));
  on("chat", said);
  on("message", program);
  on("*", commanded);
  client.on("gap", gap);
  client.on("stentor.join", (who) => came(who, "join"));
  client.on("stentor.leave", (who) => came(who, "leave"));
}

// state shows what becomes of the connection.
function state(name) {
  const before = body.dataset.state;
  body.dataset.state = name;
  $("state").textContent = { connecting: lost || before === "open" ? "Reconnecting…" : "Connecting…", open: "Connected", closed: "Not listening" }[name];
  if (name === "open" && lost) line("welcome", "Connected again.");
  else if (name === "connecting" && before === "open") line("error", "The connection was lost. Reconnecting…");
  lost = name === "connecting" && (lost || before === "open");
}

// line shows a line on every channel.
function line(kind, text, more) {
  log.line(null, kind, text, { channels: channels.names, ...more });
}

// stop has this page hear nothing more, until its user wants it to.
function stop(why) {
  live.stop();
  line("stopped", why, { action: { label: "Start listening", run: () => live.open() } });
}

// connected: who we are may have changed, if our place was given up meanwhile.
async function connected({ user, name, meta }, first) {
  const renamed = !first && user !== own.user;
  own.user = user;
  own.name = name;
  $("me").replaceChildren(face(meta.profileUrl), make("bdi", { className: "name" }, name));
  account.show(meta.isAuthenticated === "true");
  people.render();
  if (renamed) line("welcome", ["You are now ", own, "."]);
  if (!first) return;
  await loadHistory(channels.names);
  log.line(null, "welcome", ["Connected. You are ", own, ": everyone on this channel sees what you write here."], { channels: initial });
}

function said(data, event) {
  const message = chatMessage(data);
  if (!message) return program(data, event);
  message.channel = event.channel || message.channel; // whoever publishes may say what they like
  shown(log.message(message), message);
}

// program shows what a program published with no more than a text.
function program(data, event) {
  const message = {
    id: 0, channel: event.channel || channels.active, from: "", name: "Published by a program", text: clip(textOf(data, event.data) ?? "null", 4000),
    private: false, to: "", toName: "", note: "", picture: "", at: Date.now(), program: true,
  };
  shown(log.message(message), message);
}

// commanded takes all that is no message to be read.
function commanded(data, event) {
  const asked = command(event.type);
  if (asked?.selector === "cmd.chat") return said(data, event);
  if (asked && remote.run({ ...asked, body: textOf(data, event.data), value: data })) return;
  const value = data === null ? "" : ` ${JSON.stringify(data)}`;
  log.line(event.channel || null, "unhandled", clip(`unhandled selector ${asked?.selector ?? event.type}${value}`, 300));
}

// shown counts what nobody looks at.
function shown(result, message) {
  if (!result || message.from === own.user) return;
  if (result.channel !== channels.active || document.hidden) channels.note(result.channel, result.mentioned);
  titled();
}

// came tells of users, whatever windows they have.
function came({ channel, user, name }, kind) {
  if (user === own.user) return;
  log.line(channel, kind, [{ name: name || user }, kind === "join" ? " joined" : " left"], { user });
}

// gap: something is missing that can't be sent again. The history may have it.
function gap({ reason }) {
  if (reason === "ephemeral") return;
  line("gap", "Some messages may be missing here: the connection was away for too long.");
  loadHistory(channels.names);
}

async function loadHistory(names) {
  log.busy = true;
  try {
    const query = new URLSearchParams({ channels: names.join(","), take: "100" });
    const response = await fetch(`/chathistory?${query}`, { cache: "no-store" });
    if (!response.ok) throw new Error(await problemText(response));
    for (const entry of (await response.json()).results) {
      const message = chatMessage(entry);
      if (message) log.message(message);
    }
  } catch (error) {
    failed(`The history could not be loaded: ${error.message}`);
  } finally {
    log.busy = false;
  }
}

// failed says what the server refused, or could not be asked.
function failed(why) {
  notices.announce(why, { error: true });
  log.line(null, "error", why);
}

async function join(name) {
  if (!channels.names.includes(name)) {
    channels.add(name, log.open(name));
    channels.choose(name);
    address();
    try {
      await live.join(name);
    } catch (error) {
      channels.remove(name);
      log.close(name);
      failed(`${name} can't be joined: ${error.detail || error.message}`);
      return address();
    }
    await loadHistory([name]);
  }
  channels.choose(name);
}

async function leave(name) {
  if (channels.names.length < 2) return;
  try {
    await live.leave(name);
  } catch (error) {
    return failed(`${name} can't be left: ${error.detail || error.message}`);
  }
  channels.remove(name);
  log.close(name);
  address();
}

function show(name) {
  log.show(name);
  people.render();
  $("name").textContent = name;
  $("leave").hidden = channels.names.length < 2;
  $("say").placeholder = `Message #${name}`;
  titled();
}

// address keeps the address such that reloading it opens the same channels.
function address() {
  $("leave").hidden = channels.names.length < 2;
  history.replaceState(null, "", `?channels=${channels.names.map(encodeURIComponent).join(",")}`);
}

function titled() {
  document.title = channels.unread > 0 ? `(${channels.unread}) ${title}` : title;
}

// announce shows a text, with a link where there is one.
function announce(text, link) {
  notices.announce(text, { link });
  log.line(null, "announcement", `Announcement: ${link ? `${text} ${link}` : text}`);
}

// drawer opens and closes the side panel where there is no room for it.
function drawer(open) {
  if (open === body.classList.contains("drawer")) return;
  body.classList.toggle("drawer", open);
  $("drawer").setAttribute("aria-expanded", String(open));
  if (open) $("side").focus();
  else if ($("side").contains(document.activeElement)) $("drawer").focus();
}

$("drawer").addEventListener("click", () => drawer(!body.classList.contains("drawer")));
$("shade").addEventListener("click", () => drawer(false));
$("undo").addEventListener("click", () => {
  remote.undo();
  $("say").focus();
});
$("leave").addEventListener("click", () => leave(channels.active));
$("clear").addEventListener("click", () => log.clear(channels.active));
$("commands").addEventListener("click", (event) => {
  const code = event.target.closest("button");
  if (!code) return;
  drawer(false);
  composer.text = code.textContent;
});
$("join").addEventListener("submit", (event) => {
  event.preventDefault();
  const field = $("channel");
  const name = channelName(field.value);
  field.setCustomValidity(name ? "" : "A channel name has no spaces, commas and @.");
  if (!name) return field.reportValidity();
  field.value = "";
  join(name);
});
$("channel").addEventListener("input", () => $("channel").setCustomValidity(""));
document.addEventListener("customEvent", (event) => line("trigger", clip(`customEvent was triggered: ${JSON.stringify(event.detail)}`, 300)));
addEventListener("keydown", (event) => event.key === "Escape" && drawer(false));
document.addEventListener("visibilitychange", () => {
  channels.read();
  titled();
});
