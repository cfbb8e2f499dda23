// The texts of a template are filled in while somebody types, each field wherever it stands. What an article calls its
// fields has a word before it, so that none is taken for something of the form itself.
const form = document.getElementById("fill");
const FIELD = /\[([^\[\]\n]{1,81})\]/g;
const names = new Set([...form.elements].map((field) => field.name));
const texts = [];
const walker = document.createTreeWalker(document.querySelector(".text"), NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  if (walker.currentNode.data.includes("[")) texts.push([walker.currentNode, walker.currentNode.data]);
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
