// Results as one types: by words at once, by meaning too when one pauses. An answer that comes late is not shown.
import { MOST_IN_ADDRESS, comeBack, packed, unpacked } from "./long.js";

const ROOT = new URL("..", import.meta.url).pathname.slice(0, -1);
const PAUSE = 180;
const NAME = "#q=";
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
  ask(false, { isStep: true, more: event.submitter });
});
results.addEventListener("change", (event) => event.target.form === form && ask(false, { isStep: true }));
results.addEventListener("click", opened);
results.addEventListener("auxclick", opened);
// Above half a screen the narrowing stands beside what was found
results.querySelector("aside details")?.toggleAttribute("open", isWide() || isNarrowed());

comeBack();
// Back and forward lead through what was asked for by Enter or narrowed down, not through every letter
let here = place();
let isKept = true;
addEventListener("popstate", () => place() !== here && location.reload());
if (location.hash.startsWith(NAME)) {
  try {
    form.q.value = await unpacked(location.hash.slice(NAME.length));
    ask(false, { isStep: true });
  } catch {
    // Cut on its way: the field as it is says all there is to say
  }
}

// Where one stands on the page is not what is searched for
function place() {
  return location.search + (location.hash && !location.hash.startsWith(NAME) ? "" : location.hash);
}

function isWide() {
  return matchMedia("(min-width: 50rem)").matches;
}

function isNarrowed() {
  return results.querySelector("aside :checked") !== null;
}

// A step is what one may go back to.
async function ask(byWords, { isStep = false, more = null } = {}) {
  clearTimeout(pause);
  const own = ++asked;
  running?.abort();
  const { signal } = (running = new AbortController());
  const wanted = new URLSearchParams([...new FormData(form, more)].filter(([, value]) => value));
  const text = form.q.value;
  const isLong = text.length > MOST_IN_ADDRESS;
  if (isLong) wanted.delete("q");
  const url = `${ROOT}/?${wanted}`.replace(/\?$/, "") + (isLong ? `${NAME}${await packed(text)}` : "");
  for (const hit of results.querySelectorAll(".hits > li")) wanted.append("shown", hit.dataset.id);
  if (byWords) wanted.set("only", "words");
  if (searchId) wanted.set("continues", searchId);
  try {
    const sent = isLong ? { method: "POST", body: new URLSearchParams({ token, q: text }) } : {};
    const answer = await fetch(`${ROOT}/results?${wanted}`, { signal, ...sent });
    if (answer.redirected || !answer.ok) {
      // Whatever it is, the page itself says it: signed out, too much to answer
      history.replaceState(null, "", url);
      return location.reload();
    }
    const html = await answer.text();
    if (own < shown) return;
    shown = own;
    show(html, byWords);
    if (!byWords) {
      if (isKept && new URL(url, location).href !== location.href) history.pushState(null, "", url);
      else history.replaceState(null, "", url);
      here = place();
      isKept = isStep;
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
