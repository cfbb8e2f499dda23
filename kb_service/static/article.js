// What makes an article handier to use: code is copied by a button, a section linked to or flagged where it stands.
import { copy, say } from "./copy.js";

const flag = document.querySelector("details#flag");

function button(text, label, action) {
  const made = Object.assign(document.createElement("button"), { type: "button", className: "small", textContent: text });
  made.setAttribute("aria-label", label);
  made.addEventListener("click", action);
  return made;
}

function codeTools(block) {
  const frame = document.createElement("div");
  frame.className = "code";
  block.replaceWith(frame);
  frame.append(
    block,
    button("Copy", "Copy this code", async () => {
      await copy((block.querySelector("code") ?? block).innerText.replace(/\n$/, ""));
      say("Copied");
    }),
  );
  // What is wider than the page is reached by the keyboard too
  if (block.scrollWidth > block.clientWidth) block.tabIndex = 0;
}

function headingTools(heading) {
  const link = Object.assign(document.createElement("a"), { href: `#${heading.id}`, className: "anchor", textContent: "#" });
  link.setAttribute("aria-label", `Link to “${heading.textContent}”`);
  const tools = document.createElement("span");
  tools.className = "tools";
  tools.append(link);
  if (flag) {
    const wrong = button("Flag", `Flag “${heading.textContent}”`, () => {
      flag.open = true;
      flag.querySelector("select").value = heading.id;
      flag.querySelector("select").dispatchEvent(new Event("change"));
      flag.querySelector("textarea").focus();
    });
    tools.append(wrong);
  }
  heading.append(tools);
}

export function dress(page) {
  page.querySelectorAll(".text pre").forEach(codeTools);
  page.querySelectorAll(".text :is(h1, h2, h3, h4)[id]").forEach(headingTools);
  for (const table of page.querySelectorAll(".text table")) {
    if (table.scrollWidth > table.clientWidth) table.tabIndex = 0;
  }
}

dress(document);
document.querySelector("[data-print]")?.addEventListener("click", () => print());

// A tip goes away without the pointer or the focus being moved
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const term of document.querySelectorAll(".term:is(:hover, :focus)")) {
    term.classList.add("quiet-tip");
    for (const end of ["blur", "mouseleave"]) term.addEventListener(end, () => term.classList.remove("quiet-tip"), { once: true });
  }
});
