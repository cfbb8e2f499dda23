// Results as one types: by words at once, by meaning too when one pauses. An answer that comes late is not shown.
const ROOT = new URL("..", import.meta.url).pathname.slice(0, -1);
const PAUSE = 180;
const form = document.getElementById("search");
const results = document.getElementById("results");
const token = document.body.dataset.token;
let asked = 0;
let shown = 0;
let pause;
let running;
let searchId;

form.q.addEventListener("input", () => {
  clearTimeout(pause);
  if (form.q.value.trim()) ask(true);
  pause = setTimeout(() => ask(false), PAUSE);
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  ask(false);
});
results.addEventListener("change", (event) => event.target.form === form && ask(false));
results.addEventListener("click", opened);
results.addEventListener("auxclick", opened);
// Above half a screen the narrowing stands beside what was found
results.querySelector("aside details")?.toggleAttribute("open", isWide() || isNarrowed());

function isWide() {
  return matchMedia("(min-width: 50rem)").matches;
}

function isNarrowed() {
  return results.querySelector("aside :checked") !== null;
}

async function ask(byWords) {
  clearTimeout(pause);
  const own = ++asked;
  running?.abort();
  running = new AbortController();
  const wanted = new URLSearchParams([...new FormData(form)].filter(([, value]) => value));
  const url = `${ROOT}/?${wanted}`.replace(/\?$/, "");
  for (const hit of results.querySelectorAll(".hits > li")) wanted.append("shown", hit.dataset.id);
  if (byWords) wanted.set("only", "words");
  if (searchId) wanted.set("continues", searchId);
  try {
    const answer = await fetch(`${ROOT}/results?${wanted}`, { signal: running.signal });
    if (answer.redirected || !answer.ok) return location.assign(url);
    const html = await answer.text();
    if (own < shown) return;
    shown = own;
    show(html, byWords);
    if (!byWords) {
      history.replaceState(null, "", url);
      document.title = form.q.value.trim() ? `${form.q.value.trim().slice(0, 80)} – Knowledge base` : "Knowledge base";
      document.getElementById("count").textContent = results.querySelector("[data-said]")?.textContent ?? "";
    }
  } catch (error) {
    // The service is away for a moment: what is there stays, and Enter asks again
    if (error.name !== "AbortError") document.getElementById("said").textContent = "No answer; press Enter to ask again";
  }
}

// Puts the answer in place of what is there; who has opened something or stands somewhere goes on from there.
function show(html, byWords) {
  const at = document.activeElement;
  const held = results.contains(at) && (at.name ? [at.name, at.value] : [at.closest("li")?.dataset.id]);
  const open = new Set([...results.querySelectorAll(".hits details[open]")].map((one) => one.closest("li").dataset.id));
  const narrowing = results.querySelector("aside details")?.open ?? isWide();
  const fresh = document.createElement("div");
  fresh.innerHTML = html;
  // A word that is only begun says nothing to the words lane; what it means may still come
  if (byWords && !fresh.querySelector(".hits > li")) return;
  fresh.querySelector("aside details")?.toggleAttribute("open", narrowing);
  for (const hit of fresh.querySelectorAll(".hits > li")) {
    if (open.has(hit.dataset.id)) hit.querySelector("details").open = true;
  }
  results.replaceChildren(...fresh.childNodes);
  searchId = results.querySelector("[data-search]")?.dataset.search ?? searchId;
  if (!held) return;
  const [name, value] = held;
  const there = value === undefined
    ? [...results.querySelectorAll(".hits > li")].find((one) => one.dataset.id === name)?.querySelector("a.pick")
    : [...results.querySelectorAll("aside input")].find((one) => one.name === name && one.value === value);
  (there ?? form.q).focus({ preventScroll: true });
}

// Which of them was opened says what was right; nobody waits for it.
function opened(event) {
  const article = event.target.closest("a.pick")?.closest(".hits > li")?.dataset.id;
  const search = results.querySelector("[data-search]")?.dataset.search;
  if (!article || !search) return;
  fetch(`${ROOT}/api/clicks`, {
    method: "POST",
    keepalive: true,
    headers: { "Content-Type": "application/json", "X-CSRF-Token": token },
    body: JSON.stringify({ search_id: Number(search), article }),
  }).catch(() => {});
}
