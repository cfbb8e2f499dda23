// Copies a text, also where the page came over plain http and the browser keeps its clipboard to itself.
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "hidden";
    document.body.append(area);
    const before = document.activeElement;
    area.select();
    document.execCommand("copy");
    area.remove();
    before?.focus();
  }
}

let ends;

// Says something at the foot of the page, to the eye and to a screen reader, for a moment.
export function say(text) {
  const said = document.querySelector("p#said");
  said.textContent = text;
  clearTimeout(ends);
  ends = setTimeout(() => (said.textContent = ""), 4000);
}
