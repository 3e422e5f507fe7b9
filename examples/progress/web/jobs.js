// The jobs of this browser. Each message says all of how one is.

import { connect } from "/stentor.js";
import { ask, lasts, state, tell, wrong } from "./server.js";

const $ = (id) => document.getElementById(id);
const cards = new Map(); // id → {card, job}

// "jobs" are all of this browser's: the server adds the channel of each. With cursor 0 each one's newest message comes at once.
const client = connect("/events", { channels: ["jobs"], lastEventId: "0", forget: true, change });
client.on("job", show);
client.on("gone", (id) => {
  cards.get(id)?.card.remove(); // it was over for long
  cards.delete(id);
});
lasts(client);

function change(now, error) {
  state(now, error);
  if (now === 1) compare().catch(wrong);
}

// What the server doesn't know any more went down with the one before.
async function compare() {
  const { jobs } = await ask("/jobs");
  for (const job of jobs) if (!cards.has(job.id)) show(job);
  const known = new Set(jobs.map((job) => job.id));
  for (const { job } of cards.values()) {
    if (known.has(job.id)) continue;
    if (job.over) show({ ...job, result: undefined });
    else show({ ...job, over: true, failed: true, state: "lost", note: "The server was started anew, and knows nothing of it. Start it again." });
  }
}

function show(job) {
  const card = cards.get(job.id)?.card ?? add(job);
  const ended = job.over && !cards.get(job.id)?.job?.over;
  cards.set(job.id, { card, job });
  const part = (name) => card.querySelector(name);
  card.dataset.state = job.state;
  part(".title").textContent = job.title;
  part(".badge").textContent = job.state;
  part(".note").textContent = job.note;
  const bar = part("progress");
  bar.max = job.total;
  bar.value = job.done;
  bar.setAttribute("aria-label", job.title);
  part(".cancel").hidden = job.over;
  part(".open").hidden = job.state === "lost";
  part(".result").hidden = !job.result;
  if (job.result) part(".result").href = job.result;
  if (ended && document.body.dataset.state === "open") tell(job);
  const running = [...cards.values()].filter(({ job }) => !job.over).length;
  document.title = running ? `(${running}) Jobs` : "Jobs";
}

function add(job) {
  const card = $("job").content.firstElementChild.cloneNode(true);
  card.dataset.job = job.id;
  card.querySelector(".open").href = "/jobs/" + job.id;
  card.querySelector(".cancel").addEventListener("click", () => ask(`/jobs/${job.id}/cancel`, {}).then(() => wrong(), wrong));
  const older = [...$("jobs").children].find((other) => cards.get(other.dataset.job).job.started <= job.started);
  $("jobs").insertBefore(card, older ?? null); // the newest in front
  $("none").hidden = true;
  return card;
}

$("start").addEventListener("submit", async (e) => {
  e.preventDefault();
  const kind = e.submitter?.value ?? "report";
  try {
    await ask("/jobs", { kind, title: $("title").value });
    $("title").value = "";
    wrong();
  } catch (error) {
    wrong(error);
  }
});
