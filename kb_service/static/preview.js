// Shows a saved file: the page is loaded again as soon as something was published or refused, unless somebody has
// written something into it.
import { say } from "./copy.js";

const ROOT = new URL("..", import.meta.url).pathname.slice(0, -1);
let shown = document.querySelector("script[data-shown]").dataset.shown;
const look = async () => {
  const told = await (await fetch(`${ROOT}/readyz`, { cache: "no-store" })).json();
  // Who may not know is told no more than that it answers
  return told.generation === undefined ? shown : `${told.generation} ${told.refused}`;
};

const differs = (field) => {
  if (field.type === "hidden") return false;
  if (field.options) return [...field.options].some((one) => one.selected !== one.defaultSelected) && field.selectedIndex > 0;
  return field.type === "checkbox" || field.type === "radio" ? field.checked !== field.defaultChecked : field.value !== field.defaultValue;
};
const isWritten = () => [...document.querySelectorAll("main :is(input, textarea, select)")].some(differs) || document.querySelector("main [data-written]");

setInterval(async () => {
  try {
    const now = await look();
    if (now !== shown) {
      if (isWritten()) say("The articles have changed. Load the page again to see it; what you wrote here is not kept then.");
      else location.reload();
    }
    shown = now;
  } catch {
    // The service is starting anew: the next look says more
  }
}, 300);
