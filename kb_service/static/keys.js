// Keys of every page: what has data-key is opened, arrows go along a list of links, c copies an address, a attaches.
// Letters can be switched off on the help page, as who speaks to a computer must be able to.
import { copy, say } from "./copy.js";

const isOff = () => localStorage.getItem("kb-keys") === "off";
const isField = (target) => target.closest?.("input:not([type=checkbox], [type=radio]), textarea, select");
let first = "";

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  const field = isField(event.target);
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    if (!field || event.target.matches("[data-key='/']")) move(event, event.key === "ArrowDown" ? 1 : -1);
  } else if (!field && !isOff() && event.key.length === 1) letter(event);
});

function move(event, step) {
  const links = [...document.querySelectorAll("a.pick")].filter((link) => link.checkVisibility());
  const at = links.indexOf(event.target.closest("li")?.querySelector("a.pick") ?? event.target);
  const next = at + step;
  if (links.length === 0 || (at < 0 && step < 0)) return;
  event.preventDefault();
  if (next < 0) document.querySelector("[data-key='/']")?.focus();
  else links[Math.min(next, links.length - 1)].focus();
}

function letter(event) {
  const keys = first ? `${first} ${event.key}` : event.key;
  first = event.key === "g" && !first ? "g" : "";
  const found = document.querySelector(`[data-key="${CSS.escape(keys)}"]`);
  if (found) {
    event.preventDefault();
    if (found.matches("a, button, summary, label")) found.click();
    else {
      found.focus();
      found.select?.();
    }
  } else if (keys === "a") {
    document.activeElement.closest("li")?.querySelector("[data-attach]")?.click();
  } else if (keys === "c") {
    const link = document.activeElement.closest("a.pick");
    copy(link ? link.href : location.href).then(() => say(`Copied: ${link ? link.textContent : document.title}`));
  }
}
