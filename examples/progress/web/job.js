// One job: the channel is that of the address, the state comes from the history at once, and the elements are bound in job.html.

import { connect } from "/stentor.js";
import { bind } from "/stentor-bindings.js";
import { ask, lasts, state, tell, wrong } from "./server.js";

const $ = (id) => document.getElementById(id);
const id = location.pathname.split("/")[2];

const client = connect("/events", {
  channels: ["job:" + id], share: "job", lastEventId: "0", forget: true,
  change(now, error) {
    state(now, error);
    if (now === 1) mine().catch(wrong);
    if (error?.status === 404 || error?.status === 400) gone(); // the server was started anew, or there never was one
  },
});

function gone() {
  $("gone").hidden = false;
  $("job").hidden = true;
  document.title = "No such job";
}

lasts(client);

bind(client, document, {
  cancel: () => ask(`/jobs/${id}/cancel`, {}).then(() => wrong(), wrong),
});

client.on("gone", gone);
client.on("job", (job) => {
  $("job").hidden = false;
  document.title = (job.over ? job.state : job.percent + " %") + " · " + job.title;
  document.querySelector(".cancel").disabled = job.over;
  tell(job);
});

// Only its owner may cancel it.
async function mine() {
  const { jobs } = await ask("/jobs");
  document.querySelector(".cancel").hidden = !jobs.some((job) => job.id === id);
}
