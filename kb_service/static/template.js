// The texts of a template are filled in while somebody types, each field wherever it stands. What an article calls its
// fields has a word before it, so that none is taken for something of the form itself. What is no field of the form is
// another thing in each place: it is written over where it stands.
const form = document.getElementById("fill");
const FIELD = /\[([^\[\]\n]{1,81})\]/g;
const BLANK = /(\[[^\[\]\n\d_ ^][^\[\]\n]{0,80}\])/;
const names = new Set([...form.elements].map((field) => field.name));
const texts = [];
const walker = document.createTreeWalker(document.querySelector(".text"), NodeFilter.SHOW_TEXT);
const found = [];
while (walker.nextNode()) {
  if (walker.currentNode.data.includes("[")) found.push(walker.currentNode);
}

function blank(said) {
  const place = document.createElement("span");
  place.className = "blank";
  place.contentEditable = "plaintext-only";
  place.setAttribute("role", "textbox");
  place.setAttribute("aria-label", said.slice(1, -1));
  place.textContent = said;
  place.addEventListener("focus", () => place.textContent === said && getSelection().selectAllChildren(place));
  place.addEventListener("input", () => (place.dataset.written = ""));
  place.addEventListener("blur", () => place.textContent.trim() || (place.textContent = said));
  return place;
}

for (const node of found) {
  const parts = node.data.split(BLANK).map((part, at) => {
    if (at % 2 && !names.has(`field:${part.slice(1, -1)}`) && part.toLowerCase() !== "[x]") return blank(part);
    const text = document.createTextNode(part);
    if (part.includes("[")) texts.push([text, part]);
    return text;
  });
  node.replaceWith(...parts);
}

function fill() {
  const values = new FormData(form);
  for (const [node, text] of texts) {
    node.data = text.replace(FIELD, (whole, name) => (names.has(`field:${name}`) && values.get(`field:${name}`).trim()) || whole);
  }
}

form.addEventListener("input", fill);
form.addEventListener("submit", (event) => event.preventDefault());
fill();
