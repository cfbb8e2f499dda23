// <kb-suggest for="short_description">: articles for a ticket form while somebody fills it in. What it may be told and
// what it tells stands in the README. It never keeps a form from being sent, and says nothing when the service does.
const SERVICE = new URL(".", import.meta.url).href.slice(0, -1);
const PAUSE_MS = 300;
const WAIT_MS = 4000;
const REST_MS = 60_000;
const FAILURES = 3;
const MORE = ["description", "service", "category"];

const TEXTS = {
  en: ["This may help", "This solved it", "Close", "Opens here; what you typed stays", "Good. Nothing needs to be sent.", "It does not open now; what you typed is still there."],
  de: ["Das könnte helfen", "Damit ist es gelöst", "Schließen", "Öffnet sich hier; was Sie schrieben, bleibt", "Gut. Es muss nichts gesendet werden.", "Lässt sich gerade nicht öffnen; was Sie schrieben, ist noch da."],
  fr: ["Ceci peut aider", "Cela a résolu le problème", "Fermer", "S’ouvre ici ; votre texte reste", "Bien. Rien à envoyer.", "Impossible d’ouvrir pour le moment ; votre texte est toujours là."],
  es: ["Esto puede ayudar", "Esto lo resolvió", "Cerrar", "Se abre aquí; lo escrito se conserva", "Bien. No hay que enviar nada.", "Ahora no se abre; lo escrito sigue ahí."],
  it: ["Questo può aiutare", "Questo ha risolto", "Chiudi", "Si apre qui; quanto scritto resta", "Bene. Non serve inviare nulla.", "Ora non si apre; quanto scritto è ancora qui."],
  nl: ["Dit kan helpen", "Dit loste het op", "Sluiten", "Opent hier; wat u typte blijft staan", "Mooi. Er hoeft niets verstuurd te worden.", "Opent nu niet; wat u typte staat er nog."],
};

const LOOK = new CSSStyleSheet();
LOOK.replaceSync(`
:host { display: block; color: var(--kb-text, CanvasText); font: var(--kb-font, inherit); color-scheme: inherit; }
:host([hidden]), [hidden] { display: none !important; }
section { border: 1px solid var(--kb-line, #767676); border-radius: var(--kb-radius, .4rem); padding: .6rem .9rem; background: var(--kb-ground, Canvas); }
h2 { font-size: 1em; margin: 0 0 .3rem; }
ul { list-style: none; margin: 0; padding: 0; }
li { padding: .3rem 0; }
li p { margin: .1rem 0 0; font-size: .875em; }
a { color: var(--kb-accent, LinkText); overflow-wrap: anywhere; }
button { font: inherit; padding: .4rem .9rem; border-radius: var(--kb-radius, .4rem); border: 1px solid currentColor; background: var(--kb-ground, Canvas); color: inherit; cursor: pointer; }
:focus-visible { outline: 3px solid var(--kb-accent, Highlight); outline-offset: 2px; }
dialog { inline-size: min(46rem, 94vw); max-block-size: 88vh; box-sizing: border-box; border: 1px solid var(--kb-line, #767676); border-radius: var(--kb-radius, .4rem); padding: 0 1.2rem 1rem; background: var(--kb-ground, Canvas); color: inherit; overflow: auto; }
dialog > h2 { font-size: 1.2em; margin: 1rem 0 .4rem; }
dialog::backdrop { background: #0008; }
footer { position: sticky; bottom: -1rem; display: flex; flex-wrap: wrap; gap: .6rem; padding: .8rem 0; background: var(--kb-ground, Canvas); }
.quiet { position: absolute; inline-size: 1px; block-size: 1px; margin: -1px; overflow: hidden; clip-path: inset(50%); }
.text { overflow-wrap: break-word; }
.text img, .text video { max-width: 100%; }
.text pre, .text table { display: block; overflow-x: auto; }
.text :is(td, th) { border: 1px solid var(--kb-line, #767676); padding: .2rem .5rem; text-align: start; }
`);

// Where a site allows no text to become HTML (Trusted Types), its policy must name kb-suggest
const policy = globalThis.trustedTypes?.createPolicy("kb-suggest", { createHTML: (text) => text });
const parsed = (text) => new DOMParser().parseFromString(policy ? policy.createHTML(text) : text, "text/html");

const decoded = (path) => {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
};

function made(name, part, given = {}, ...inside) {
  const element = Object.assign(document.createElement(name), given);
  if (part) element.setAttribute("part", part);
  element.append(...inside);
  return element;
}

class Suggest extends HTMLElement {
  #shadow = this.attachShadow({ mode: "open" });
  #status = made("p", "status", { role: "status", className: "quiet" });
  #place = made("div");
  #ends = new AbortController();
  #timer;
  #running;
  #asked = "";
  #session;
  #reported = new Set();
  #failed = 0;
  #rests = 0;

  connectedCallback() {
    this.#shadow.adoptedStyleSheets = [LOOK];
    this.#shadow.replaceChildren(this.#place, this.#status);
    this.#ends = new AbortController();
    const root = this.getRootNode();
    const heard = { signal: this.#ends.signal, passive: true };
    // Of the whole page, so that a field which is drawn anew is heard too
    root.addEventListener("input", (event) => this.#fields().includes(event.target) && this.#later(), heard);
    root.addEventListener("submit", (event) => event.target.contains(this.#field("for")) && this.submitted(), heard);
    if (this.#ticket().short_description) this.#later();
  }

  disconnectedCallback() {
    clearTimeout(this.#timer);
    this.#running?.abort();
    this.#ends.abort();
  }

  /** Say that a ticket was sent all the same, with its number where that is known; a form's own submit says so too. */
  submitted(number) {
    if (this.#session) this.#report("submitted", null, number);
  }

  #field(name) {
    const id = this.getAttribute(name);
    return id ? this.getRootNode().getElementById(id) : null;
  }

  #fields() {
    return ["for", ...MORE].map((name) => this.#field(name)).filter(Boolean);
  }

  #ticket() {
    const told = { short_description: (this.#field("for")?.value ?? "").trim().slice(0, 20_000) };
    for (const name of MORE) {
      const value = this.#field(name)?.value?.trim();
      if (value) told[name] = value.slice(0, name === "description" ? 50_000 : 200);
    }
    const limit = Number(this.getAttribute("limit"));
    if (limit >= 1) told.limit = Math.min(3, Math.floor(limit));
    return told;
  }

  #later() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#ask(), PAUSE_MS);
  }

  async #ask() {
    const ticket = this.#ticket();
    const text = JSON.stringify(ticket);
    if (text === this.#asked) return;
    this.#asked = text;
    this.#running?.abort();
    if (!ticket.short_description) return this.#show([]);
    if (performance.now() < this.#rests) return;
    const own = (this.#running = new AbortController());
    try {
      const answer = await this.#fetch("/api/suggest", { ...ticket, suggestion_id: this.#session }, own.signal);
      if (own !== this.#running) return;
      this.#failed = 0;
      this.#session = answer.suggestion_id ?? this.#session;
      this.#show(answer.suggestions);
    } catch {
      if (own !== this.#running || !this.isConnected) return;
      // What was suggested for other words goes; a service that is down is left in peace for a while
      this.#asked = "";
      this.#show([]);
      if (++this.#failed >= FAILURES) this.#rests = performance.now() + REST_MS;
    }
  }

  async #fetch(path, body, signal, more = {}) {
    const key = this.getAttribute("key");
    const token = this.getAttribute("token");
    const headers = {};
    if (body) headers["Content-Type"] = "application/json";
    if (key) headers["X-API-Key"] = key;
    else if (token) headers["X-CSRF-Token"] = token;
    const audience = `audience=${encodeURIComponent(this.getAttribute("audience") ?? "public")}`;
    const url = `${SERVICE}${path}${path.includes("?") ? "&" : "?"}${audience}`;
    const ends = new AbortController();
    signal?.addEventListener("abort", () => ends.abort(), { once: true });
    const timer = setTimeout(() => ends.abort(), WAIT_MS);
    try {
      const answer = await fetch(url, {
        method: body ? "POST" : "GET",
        headers,
        credentials: key ? "omit" : "same-origin",
        body: body && JSON.stringify(body),
        signal: ends.signal,
        ...more,
      });
      if (!answer.ok) throw new Error(String(answer.status));
      return await (more.raw ? answer.blob() : answer.json());
    } finally {
      clearTimeout(timer);
    }
  }

  #report(event, article, number) {
    const once = `${this.#session} ${event} ${article ?? ""}`;
    if (!this.#session || this.#reported.has(once)) return;
    this.#reported.add(once);
    const path = `/api/suggest/${encodeURIComponent(this.#session)}/events`;
    this.#fetch(path, { event, article: article ?? null, number: number ?? null }, null, { keepalive: true }).catch(() => {});
  }

  #tell(event, detail) {
    this.dispatchEvent(new CustomEvent(`kb-${event}`, { bubbles: true, composed: true, detail }));
  }

  get #texts() {
    const language = this.lang || this.closest("[lang]")?.lang || document.documentElement.lang || navigator.language || "en";
    return TEXTS[language.slice(0, 2).toLowerCase()] ?? TEXTS.en;
  }

  #show(suggestions) {
    const [title, , , hint] = this.#texts;
    if (suggestions.length === 0) {
      if (!this.#place.querySelector("dialog[open]")) {
        this.#place.replaceChildren();
        this.#say("", true);
      }
      return;
    }
    // Who stands on one of them or reads one goes on from there
    if (this.#place.querySelector("dialog[open]")) return;
    const held = this.#shadow.activeElement?.dataset.id;
    const heading = made("h2", "heading", { id: "title", textContent: title });
    const list = made("ul", "list", {}, ...suggestions.map((one) => this.#item(one, hint)));
    const panel = made("section", "panel", {}, heading, list);
    panel.setAttribute("aria-labelledby", "title");
    this.#place.replaceChildren(panel);
    this.#say(`${title}: ${suggestions.length}`, true);
    [...list.querySelectorAll("a")].find((link) => link.dataset.id === held)?.focus();
    this.#report("shown");
    this.#tell("shown", { articles: suggestions.map((one) => one.id) });
  }

  #item(one, hint) {
    const link = made("a", "link", { href: SERVICE + one.url, textContent: one.title, title: hint, target: "_blank", rel: "noopener" });
    link.dataset.id = one.id;
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return this.#report("opened", one.id);
      event.preventDefault();
      this.#open(one);
    });
    const said = parsed(one.snippet ?? "").body.textContent;
    return made("li", "item", {}, link, made("p", "snippet", { textContent: said.length > 160 ? `${said.slice(0, 160)} …` : said }));
  }

  #open(one) {
    const [, solved, close] = this.#texts;
    const heading = made("h2", "title");
    const text = made("div", "article", { className: "text" });
    const yes = made("button", "solved", { type: "button", textContent: solved, hidden: true });
    const no = made("button", "close", { type: "button", textContent: close });
    const dialog = made("dialog", "dialog", {}, heading, text, made("footer", "actions", {}, yes, no));
    dialog.addEventListener("close", () => dialog.remove());
    no.addEventListener("click", () => dialog.close());
    yes.addEventListener("click", () => {
      dialog.close();
      this.#solved(read);
    });
    this.#place.append(dialog);
    dialog.showModal();
    let read = one;
    // An article that it links to opens in its place
    const turn = (other) => {
      read = other;
      heading.textContent = other.title;
      dialog.setAttribute("aria-label", other.title);
      yes.hidden = true;
      dialog.scrollTop = 0;
      this.#read(other, text, turn).then((is) => (yes.hidden = !is || read !== other));
    };
    turn(one);
  }

  async #read(one, text, turn) {
    this.#report("opened", one.id);
    this.#tell("opened", { article: one.id, title: one.title, url: SERVICE + one.url });
    try {
      const article = await this.#fetch(`/api/articles/${one.id.split("/").map(encodeURIComponent).join("/")}`);
      text.replaceChildren(...this.#placed(parsed(article.html).body, one, turn));
      return true;
    } catch {
      text.textContent = this.#texts[5];
      return false;
    }
  }

  // Addresses are of the service, and open beside the form; pictures and videos come with the same key
  #placed(body, one, turn) {
    for (const link of body.querySelectorAll("a[href]")) {
      const given = link.getAttribute("href");
      const target = new URL(given.startsWith("/") ? SERVICE + given : given, SERVICE + one.url);
      Object.assign(link, { href: target.href, target: "_blank", rel: "noopener noreferrer" });
      if (!target.href.startsWith(`${SERVICE}/a/`)) continue;
      const url = target.href.slice(SERVICE.length).replace(/[?#].*/, "");
      const id = decoded(url.slice(3));
      if (id === one.id) link.removeAttribute("href");
      else link.addEventListener("click", (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        turn({ id, url, title: link.textContent });
      });
    }
    for (const media of body.querySelectorAll(":is(img, video, track)[src]")) {
      const source = media.getAttribute("src");
      media.removeAttribute("src");
      if (!this.hasAttribute("key")) media.src = source.startsWith("/") ? SERVICE + source : source;
      else if (source.startsWith("/media/")) {
        this.#fetch(source, null, null, { raw: true }).then((data) => (media.src = URL.createObjectURL(data)), () => {});
      }
    }
    return [...body.childNodes].map((node) => document.adoptNode(node));
  }

  #solved(one) {
    this.#report("solved", one.id);
    this.#tell("solved", { article: one.id, title: one.title, url: SERVICE + one.url });
    this.#place.replaceChildren();
    this.#say(this.#texts[4], false);
  }

  // To a screen reader, or to everybody
  #say(text, isQuiet) {
    this.#status.textContent = text;
    this.#status.className = isQuiet ? "quiet" : "";
  }
}

if (!customElements.get("kb-suggest")) customElements.define("kb-suggest", Suggest);
