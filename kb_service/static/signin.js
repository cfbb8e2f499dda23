// Whoever has to sign in anew finds again what was asked for: a long text stands in the fragment, which no answer names.
import { leaveFor } from "./long.js";

const form = document.querySelector("form.sign-in");
const provider = document.querySelector("a.provider");
form?.setAttribute("action", form.getAttribute("action") + location.hash);
provider?.addEventListener("click", () => leaveFor(new URL(provider.href).searchParams.get("then")));
