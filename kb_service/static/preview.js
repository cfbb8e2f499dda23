// Shows a saved file: the page is loaded again as soon as something was published.
const ROOT = new URL("..", import.meta.url).pathname.slice(0, -1);
const look = async () => (await (await fetch(`${ROOT}/readyz`, { cache: "no-store" })).json()).generation;

let shown = null;
setInterval(async () => {
  try {
    const generation = await look();
    if (shown !== null && generation !== shown) location.reload();
    shown = generation;
  } catch {
    // The service is starting anew: the next look says more
  }
}, 300);
