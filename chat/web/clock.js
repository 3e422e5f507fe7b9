// A worker that ticks: timers of a page in the background run once a minute, which
// is too rare for a heartbeat, and those of a worker don't slow down.

let timer;
onmessage = (event) => {
  clearInterval(timer);
  if (event.data > 0) timer = setInterval(() => postMessage(null), event.data);
};
