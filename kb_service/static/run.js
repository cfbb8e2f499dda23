// Steps are ticked and commands filled in without the page being loaded again; the service keeps each at once.
import { say } from "./copy.js";
import { dress } from "./article.js";

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.closest("#run")) return;
  event.preventDefault();
  const held = form.id || document.activeElement?.name;
  try {
    const answer = await fetch(form.action, { method: "POST", headers: { Accept: "text/html" }, body: new URLSearchParams(new FormData(form, event.submitter)) });
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const run = fresh.getElementById("run");
    // It is discarded: its runbook is what there is
    if (answer.ok && answer.redirected && !run) return location.assign(answer.url);
    if (answer.status === 401) throw new Error("you are signed out. Sign in in another tab, then come back");
    if (!answer.ok || !run) throw new Error(fresh.querySelector("main")?.textContent ?? answer.statusText);
    document.getElementById("run").replaceWith(document.adoptNode(run));
    document.title = fresh.title;
    dress(run);
    const there = run.querySelector(`[id="${held}"] button`) ?? run.querySelector(`[name="${CSS.escape(held ?? "")}"]`);
    there?.focus({ preventScroll: true });
    say(run.querySelector(".progress").textContent.trim());
  } catch (error) {
    say(`Not kept: ${error.message.trim().slice(0, 200) || "the service does not answer"}. Try again.`);
  }
});

document.addEventListener("change", (event) => event.target.form?.matches("#run .fill") && event.target.form.requestSubmit());
