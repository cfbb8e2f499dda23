// A single paragraph is flagged: chosen below the heading it stands under, or by the button beside it.
const flag = document.querySelector("details#flag");
const where = flag?.querySelector("select");
const comment = flag?.querySelector("textarea");
const HEADINGS = "article > .text :is(h1, h2, h3, h4)[id]";
const BLOCKS = "p, li, tr, pre, dd";
const MOST_LETTERS = 120;
const options = new Map();
let quoted = "";

// What a block says itself: not what stands in blocks within it, of a picture what it is called
function said(block) {
  const own = block.cloneNode(true);
  own.querySelectorAll(`${BLOCKS.replace("tr, ", "")}, .tip, video`).forEach((one) => one.remove());
  const told = block.cells ? [...own.cells].map((cell) => cell.textContent.trim()).join(" | ") : own.textContent;
  const text = (told.trim() || block.querySelector(":scope > img")?.alt || "").replace(/\s+/g, " ").trim();
  return text.length > MOST_LETTERS ? `${text.slice(0, MOST_LETTERS).trimEnd()} …` : text;
}

// Only once they are wanted: a long article has hundreds
function offer() {
  if (options.size) return;
  let last = where.options[0];
  for (const one of document.querySelectorAll(`${HEADINGS}, article > .text :is(${BLOCKS})`)) {
    if (one.matches(HEADINGS)) last = [...where.options].find((option) => option.value === one.id) ?? last;
    else if (said(one)) {
      const option = new Option(`– ${said(one)}`, last.value);
      option.dataset.quote = said(one);
      last.after(option);
      last = option;
      options.set(one, option);
    }
  }
}

// What is meant stands in the comment, for who writes it and for who reads it
function quote() {
  const written = comment.value.startsWith(quoted) ? comment.value.slice(quoted.length) : comment.value;
  const chosen = where.selectedOptions[0].dataset.quote;
  quoted = chosen ? `“${chosen}”\n` : "";
  comment.value = quoted + written;
}

function beside(text) {
  const button = Object.assign(document.createElement("button"), { type: "button", className: "small flag-it", textContent: "⚑" });
  // The list in the form does the same for who has no pointer
  button.tabIndex = -1;
  button.title = "Flag this paragraph";
  button.setAttribute("aria-label", button.title);
  let block;
  text.addEventListener("pointerover", (event) => {
    const found = event.target.closest(BLOCKS);
    if (!found || !said(found)) return;
    block = found;
    button.style.top = `${block.getBoundingClientRect().top - text.parentElement.getBoundingClientRect().top}px`;
    text.after(button);
  });
  text.parentElement.addEventListener("pointerleave", () => button.remove());
  button.addEventListener("click", () => {
    flag.open = true;
    offer();
    options.get(block).selected = true;
    quote();
    comment.focus();
    comment.setSelectionRange(comment.value.length, comment.value.length);
  });
}

if (flag) {
  flag.addEventListener("toggle", offer);
  where.addEventListener("change", quote);
  beside(document.querySelector("article > .text"));
}
