// What stands in a page that no template and no script of ours puts there, as a list of what is wrong.
() => {
  const TAGS = new Set(
    ("html head meta title link script body a header img form input button nav details summary p main h1 h2 h3 h4 h5 h6 div article "
      + "section aside ul ol li span strong em b i s br hr code pre table thead tbody tr td th col colgroup caption dl dt dd time mark "
      + "fieldset legend label select option textarea datalist progress kbd figure figcaption blockquote video track sub sup del "
      + "footer dialog kb-suggest svg rect").split(" "),
  );
  const ATTRIBUTES = new Set(
    ("lang charset name content rel href type src title alt width height class id role action method value placeholder autocomplete "
      + "maxlength autofocus tabindex open disabled checked selected required rows list for form start align scope datetime max "
      + "controls preload kind default hidden part spellcheck description service token target pressed viewBox preserveAspectRatio "
      + "x y").split(" "),
  );
  const SCRIPTS = /^\/(static\/[a-z]+\.js|widget\.js)$/;
  const wrong = [];
  const tell = (what, element) => wrong.push(`${what}: ${element.outerHTML.slice(0, 300)}`);
  const own = (address) => new URL(address, location.href).origin === location.origin;
  const all = (root) => [...root.querySelectorAll("*")].flatMap((one) => [one, ...(one.shadowRoot ? all(one.shadowRoot) : [])]);

  for (const one of all(document)) {
    const tag = one.localName;
    if (!TAGS.has(tag)) tell("an element that is none of ours", one);
    if (one instanceof SVGElement && !one.closest("figure.timeline > svg")) tell("a drawing", one);
    // What a template leaves open is written over where it stands, and is text
    const isBlank = one.matches("span.blank[role=textbox]");
    if (isBlank && one.childElementCount) tell("more than text in what is left open", one);
    for (const { name } of one.attributes) {
      if (isBlank && name === "contenteditable") continue;
      if (!ATTRIBUTES.has(name) && !name.startsWith("data-") && !name.startsWith("aria-")) tell(`the attribute ${name}`, one);
    }
    const says = (name) => one.getAttribute(name);
    if (tag === "script" && (one.text.trim() || !own(one.src) || !SCRIPTS.test(new URL(one.src).pathname))) tell("a script", one);
    if (tag === "link" && (!own(one.href) || !["icon", "stylesheet"].includes(one.rel))) tell("a link in the head", one);
    if (tag === "meta" && !one.hasAttribute("charset") && one.name !== "viewport") tell("a meta element", one);
    if (tag === "form" && !/^\/(?![/\\])/.test(says("action"))) tell("a form that leads elsewhere", one);
    if (one.hasAttribute("src") && !(own(one.src) || one.src.startsWith("blob:"))) tell("something of another site", one);
    if (tag === "a" && one.hasAttribute("href")) {
      if (!["http:", "https:", "mailto:", "tel:"].includes(one.protocol)) tell("an address that is none", one);
      const leaves = one.target || !own(one.href);
      if (leaves && one.closest(".text") && !one.relList.contains("noopener")) tell("a link without noopener", one);
      if (one.target && !one.relList.contains("noopener")) tell("a link without noopener", one);
    }
    if (one.closest(".text") && !one.closest("form.tick")) {
      if (["form", "textarea", "select", "dialog"].includes(tag)) tell("a part of a form in an article", one);
      if (tag === "input" && !(one.type === "checkbox" && one.disabled)) tell("a field in an article", one);
      if (tag === "button" && one.type !== "button") tell("a button in an article", one);
    }
  }
  return wrong;
}
