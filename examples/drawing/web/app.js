// A shared drawing. This file connects what the others do: the board has the strokes, the view paints them, the pen makes them, the sender
// publishes them, people are who else is here.

import { connect } from "/stentor.js";
import { Board, simplify } from "./board.js";
import { paint, Pen } from "./pen.js";
import { People } from "./people.js";
import { Sender } from "./sender.js";
import { randomName, recall, remember, token } from "./self.js";
import { Tools } from "./tools.js";
import { View } from "./view.js";

const $ = (id) => document.getElementById(id);

const name = (new URLSearchParams(location.search).get("room") ?? "").toLowerCase().replace(/[^a-z0-9-]+/g, "-").slice(0, 40) || "studio";
const room = "room:" + name;
const me = { user: "", name: recall("name") || randomName(), colour: +(recall("colour") || Math.floor(Math.random() * 8)) };

const board = new Board(), view = new View(board);
const sender = new Sender((m) => client.publish({ channel: room, ...m }), (error) => note(`The server refused it: ${error.message}`));
const people = new People((user) => watch(user === watched ? "" : user));
let watched = ""; // whom this page watches
let client;
let fresh = true; // nothing has come of the picture yet

// open begins with the whole picture, and goes on live.
function open() {
  fresh = true;
  board.forget();
  const url = `/events?${new URLSearchParams({ name: me.name, colour: me.colour })}`;
  client = connect(url, { channels: [room], presence: true, lastEventId: "0", forget: true, token, change: state, error: (e) => console.warn(e) });
  client.on("stentor.open", ({ member }) => {
    me.user = member.user;
    if (member.meta.name !== me.name || member.meta.colour !== String(me.colour)) tellMe(); // it has changed since
    if (watched) sender.say("watch", { user: watched, on: true });
  });
  client.on("stroke", ({ by, what }) => kept() && board.add(by, what));
  client.on("undo", ({ by, what }) => kept() && board.undo(by, what.id));
  client.on("clear", ({ by }) => kept() && board.clear(by));
  client.on("live", ({ by, what }) => by !== me.user && lives(by, what));
  client.on("watch", ({ by, what }) => {
    if (what.on) people.watchers.add(by);
    else people.watchers.delete(by);
    tell();
  });
  client.on("stentor.leave", ({ meta, name }) => told(`${meta.name || name} has left`));
  client.on("stentor.join", ({ user, meta, name }) => {
    if (user === me.user) return;
    told(`${meta.name || name} is here`);
    tell(); // where the own pointer is
    if (user === watched) sender.say("watch", { user, on: true });
  });
  client.on("gap", ({ reason }) => reason === "ephemeral" || again(reason));
}

function kept() {
  fresh = false;
  return true;
}

// again begins anew, because something is missing. A server that has lost the picture gets back what was drawn here.
function again(reason) {
  if (fresh && reason === "expired") return; // the oldest strokes are gone, for everyone who comes
  const own = reason === "expired" || reason === "slow" ? [] : board.of(me.user);
  client.close();
  open();
  for (const { by, ...stroke } of own) {
    board.add(by, stroke);
    sender.keep("stroke", stroke);
  }
}

// lives shows what somebody does right now.
function lives(by, { at, view: seen, width, stroke }) {
  people.doing.set(by, { at, view: seen, width, drawing: !!stroke });
  if (stroke) board.extend(by, stroke);
  else board.live.delete(by);
  if (by === watched) view.follow(seen);
}

// The own stroke.

let stroke = null, sent = 0, pointer = null, news = false;
const undone = []; // strokes that can come back

const pen = new Pen(view, {
  begin(at) {
    if (!me.user) return false;
    if (watched) watch("");
    stroke = { id: crypto.getRandomValues(new Uint32Array(2)).reduce((id, n) => id + n.toString(36), "s"), colour: paint(pen.tool, me.colour), width: tools.width, points: [...at] };
    board.live.set(me.user, { ...stroke, points: stroke.points, sent: 0 });
    [sent, pointer] = [0, at];
    news = true;
    return true;
  },
  extend(points) {
    for (const [x, y] of points) {
      if (x !== stroke.points.at(-2) || y !== stroke.points.at(-1)) stroke.points.push(x, y);
    }
    news = true;
  },
  end() {
    const { id, colour, width, points } = stroke;
    const done = { id, colour, width, points: simplify(points, Math.max(1, 0.4 / view.scale)) };
    stroke = null;
    undone.length = 0;
    board.add(me.user, done);
    sender.keep("stroke", done);
    news = true;
    show();
  },
  drop() {
    stroke = null;
    board.live.delete(me.user);
    news = true;
  },
  hover(at) {
    pointer = at;
    news = true;
  },
  taken() {
    if (watched) watch("");
  },
});

const tools = new Tools(view, me.colour, {
  tool: (tool) => (pen.tool = $("stage").dataset.tool = tool),
  colour(colour) {
    me.colour = colour;
    remember("colour", colour);
    tellMe();
  },
  undo() {
    const last = board.of(me.user).at(-1);
    if (!last || stroke) return;
    undone.push(last);
    board.undo(me.user, last.id);
    sender.keep("undo", { id: last.id });
    show();
  },
  redo() {
    const { by, ...again } = undone.pop() ?? {};
    if (!by) return;
    board.add(me.user, again);
    sender.keep("stroke", again);
    show();
  },
  clear() {
    undone.length = 0;
    undone.push(...board.of(me.user).reverse());
    board.clear(me.user);
    sender.keep("clear", {});
    show();
  },
  view: () => watched && watch(""),
  escape: () => watched && watch(""),
});

// tell has the others see, with the next frame, what this page does.
function tell() {
  news = true;
}
view.moved = tell;

function frame() {
  requestAnimationFrame(frame);
  if (news && me.user) {
    news = false;
    if (people.others) sender.live(now());
    if (stroke) sent = stroke.points.length;
  }
  view.paint();
  people.point(view, pen.keys, paint(pen.tool, me.colour));
}

function now() {
  const live = { view: view.seen, width: tools.width };
  if (pointer) live.at = pointer;
  if (stroke) live.stroke = { id: stroke.id, colour: stroke.colour, width: stroke.width, points: stroke.points.slice(sent), from: sent };
  return live;
}

// Watching somebody.

function watch(user) {
  if (watched) sender.say("watch", { user: watched, on: false });
  watched = people.get(user) ? user : "";
  document.body.classList.toggle("watching", !!watched);
  if (watched) {
    sender.say("watch", { user: watched, on: true });
    const seen = people.doing.get(watched)?.view;
    if (seen) view.follow(seen);
  }
  show();
}

// show brings the panels up to date.
function show() {
  people.show(client.members(room), me.user, watched);
  if (watched && !people.get(watched)) {
    note("Whom you watched has left.");
    watch("");
    return;
  }
  const them = people.get(watched);
  $("banner").hidden = !them;
  if (them) {
    $("watched").textContent = them.meta.name || them.name;
    $("banner").className = "c" + (them.meta.colour || 0);
  }
  tools.can(board.of(me.user).length > 0, undone.length > 0);
  $("empty").hidden = board.strokes.size > 0 || board.live.size > 0 || document.body.dataset.state !== "open";
}

// Oneself.

async function tellMe() {
  if (!me.user) return;
  const answer = await fetch("/me", { method: "POST", headers: { Authorization: "Bearer " + token() }, body: JSON.stringify({ name: me.name, colour: me.colour }) }).catch(() => null);
  if (answer && !answer.ok) note("Your name and colour were not told to the others. Try again in a moment.");
}

$("name").value = me.name;
$("name").addEventListener("change", () => {
  me.name = $("name").value = $("name").value.trim() || randomName();
  remember("name", me.name);
  tellMe();
});
$("self").addEventListener("submit", (e) => {
  e.preventDefault();
  $("name").blur();
});
$("stop").addEventListener("click", () => watch(""));
$("copy").addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(location.href);
    note("The link is copied.");
  } catch {
    note(location.href);
  }
});

function state(now, error) {
  const name = ["connecting", "open", "closed"][now];
  document.body.dataset.state = name;
  $("state").textContent = { connecting: error ? "Reconnecting…" : "Connecting…", open: "Connected", closed: "Disconnected" }[name];
  if (name === "closed" && error) note(`The connection has ended: ${error.message}`);
}

/** Says something to those who don't see the page. */
function told(text) {
  $("told").textContent = text;
}

let noted = 0;
function note(text) {
  $("note").textContent = text;
  $("note").hidden = false;
  clearTimeout(noted);
  noted = setTimeout(() => ($("note").hidden = true), 5000);
}

$("room").textContent = name;
document.title = `${name} · Drawing`;
open();
// A page that is left gives its connection back: the browser would keep it, with the page, and has six for a server.
addEventListener("pagehide", () => client.close());
addEventListener("pageshow", (e) => e.persisted && open());
setInterval(show, 200); // lists come when they come
requestAnimationFrame(frame);
