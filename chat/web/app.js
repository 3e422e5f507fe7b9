// The page: puts the parts together.

import { Stream, problemText } from "./stream.js";
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
import { clip, make } from "./text.js";

const $ = (id) => document.getElementById(id);
const body = document.body;
const own = { id: "", name: "" };
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
  pick: (_, name) => composer.address(handle(name)),
});
const channels = new Channels($("channels"), show);
const people = new People($("people"), $("count"), {
  channels: () => channels.names,
  active: () => channels.active,
  me: () => own.id,
  pick: (_, name) => {
    drawer(false);
    composer.address(handle(name));
  },
  changed: () => {},
});
const composer = new Composer({
  form: $("composer"), field: $("say"), left: $("left"), list: $("suggestions"), limit: Number($("say").dataset.limit),
}, {
  send: (text) => sender.send(text),
  names: () => people.of(channels.active).filter((p) => p.userId !== own.id).map((p) => p.displayName),
});
const notices = new Notices();
const account = new Account($("account"), JSON.parse(body.dataset.signIn), { channels: () => channels.names, failed });
const remote = new Remote({
  announce,
  tv: (element) => notices.tv(element),
  title: (text) => ((title = text ?? ownTitle), titled()),
  listen: (yes) => (yes ? stream.stopped && stream.open() : stop("Somebody asked this page to stop listening.")),
  trigger: (detail) => document.dispatchEvent(new CustomEvent("customEvent", { detail })),
  changed: (yes) => ($("undo").hidden = !yes),
});

for (const name of initial) channels.add(name, log.open(name));
channels.choose(initial[0]);
address();

const stream = new Stream(initial, {
  state, connect, frame: receive,
  ended: (reason) => stop(reason === "replaced" ? "Another window took the place of this one." : "The server ended this connection."),
});
const sender = new Sender(stream, {
  channel: () => channels.active,
  people: () => people.of(channels.active),
  me: () => own.id && { userId: own.id, displayName: own.name },
  said: (message) => log.message(message), // the stream may be a moment later, or away
  sent: (text, name) => log.line(channels.active, "sent", [text, { name }, "."]),
  wrong: (why) => log.line(channels.active, "error", why),
  failed,
});
stream.open();

// state shows what becomes of the connection.
function state(name, ms) {
  const before = body.dataset.state;
  body.dataset.state = name;
  $("state").textContent = {
    connecting: "Connecting…",
    open: "Connected",
    waiting: ms > 1500 ? `Reconnecting in ${Math.round(ms / 1000)} s` : "Reconnecting…",
    closed: "Not listening",
  }[name];
  if (name === "open" && lost) line("welcome", "Connected again.");
  else if (["connecting", "waiting"].includes(name) && before === "open") line("error", "The connection was lost. Reconnecting…");
  lost = name !== "open" && (lost || before === "open") && name !== "closed";
}

// line shows a line on every channel.
function line(kind, text, more) {
  log.line(null, kind, text, { channels: channels.names, ...more });
}

// stop has this page hear nothing more, until its user wants it to.
function stop(why) {
  if (!stream.stopped) stream.stop();
  line("stopped", why, { action: { label: "Start listening", run: () => stream.stopped && stream.open() } });
}

// connect: who we are may have changed, if our place was given up meanwhile.
async function connect(info, { first, missed }) {
  const renamed = !first && info.displayName !== own.name;
  own.id = info.userId;
  own.name = info.displayName;
  $("me").replaceChildren(face(info.profileUrl), make("bdi", { className: "name" }, own.name));
  account.show(info.isAuthenticated === "true");
  people.reload();
  if (renamed) line("welcome", ["You are now ", own, "."]);
  if (first) {
    await loadHistory(channels.names);
    log.line(null, "welcome", ["Connected. You are ", own, ": everyone on this channel sees what you write here."], { channels: initial });
  } else if (missed.length > 0) {
    await loadHistory(missed);
  }
}

// receive takes every frame that is not about the connection.
function receive(frame) {
  switch (frame.selector) {
    case "cmd.onJoin":
    case "cmd.onLeave":
    case "cmd.onUpdate":
      return presence(frame);
    case "cmd.onGap":
      return gap(frame.body ?? {});
    case "cmd.chat":
      return said(frame);
    case "cmd.message":
      return program(frame);
  }
  if (!remote.run(frame)) {
    const value = frame.body === null ? "" : ` ${JSON.stringify(frame.body)}`;
    log.line(frame.channel, "unhandled", clip(`unhandled selector ${frame.selector}${value}`, 300));
  }
}

function said(frame) {
  const message = chatMessage(frame.body);
  if (message) shown(log.message(message), message);
  else program(frame);
}

// program shows what a program published with no more than a text.
function program({ channel, body: value }) {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  const message = {
    id: 0, channel: channel ?? channels.active, from: "", name: "Published by a program", text: clip(text, 4000),
    private: false, to: "", toName: "", note: "", picture: "", at: Date.now(), program: true,
  };
  shown(log.message(message), message);
}

// shown counts what nobody looks at.
function shown(result, message) {
  if (!result || message.from === own.id) return;
  if (result.channel !== channels.active || document.hidden) channels.note(result.channel, result.mentioned);
  titled();
}

// presence tells of users, not of their windows. One notice may say of several channels that
// somebody is there now.
function presence(frame) {
  const { body: who } = frame;
  if (who === null || typeof who !== "object") return;
  const on = () => channels.names.filter((name) => people.has(name, who.userId));
  const before = on();
  people.follow(frame);
  const after = on();
  if (who.userId !== own.id) {
    const name = who.displayName || who.userId;
    const joined = after.filter((channel) => !before.includes(channel));
    const left = before.filter((channel) => !after.includes(channel));
    log.line(null, "join", [{ name }, " joined"], { user: who.userId, channels: joined });
    log.line(null, "leave", [{ name }, " left"], { user: who.userId, channels: left });
  }
  people.reload();
}

// gap: something is missing that can't be sent again. The history may have it.
function gap({ reason }) {
  people.reload();
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
      await stream.join([name]);
    } catch (error) {
      stream.drop(name);
      channels.remove(name);
      log.close(name);
      failed(`${name} can't be joined: ${error.message}`);
      return address();
    }
    await loadHistory([name]);
    people.reload();
  }
  channels.choose(name);
}

async function leave(name) {
  if (channels.names.length < 2) return;
  channels.remove(name);
  log.close(name);
  address();
  try {
    await stream.leave([name]);
  } catch (error) {
    failed(`The server was not told that you left ${name}: ${error.message}`);
  }
  people.reload();
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
