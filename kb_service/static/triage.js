// A ticket too long for an address has one all the same, to hand on.
import { comeBack, packed, unpacked } from "./long.js";

const form = document.querySelector("form.ticket");
const NAME = "#ticket=";

async function open() {
  if (!location.hash.startsWith(NAME)) return;
  try {
    [form.text.value, form.service.value] = await unpacked(location.hash.slice(NAME.length));
    form.requestSubmit();
  } catch {
    // Cut on its way: the field as it is says all there is to say
  }
}

addEventListener("hashchange", open);
comeBack();
if (!form.text.value) open();
else if (!location.search) history.replaceState(null, "", `${NAME}${await packed([form.text.value, form.service.value])}`);
