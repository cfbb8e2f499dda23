// What is searched for from any page; a text too long for an address is handed to the search page in the fragment.
import { MOST_IN_ADDRESS, packed } from "./long.js";

const form = document.getElementById("search");

form?.addEventListener("submit", async (event) => {
  if (form.q.value.length <= MOST_IN_ADDRESS) return;
  event.preventDefault();
  location.assign(`${form.action}#q=${await packed(form.q.value)}`);
});
