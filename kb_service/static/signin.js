// Whoever has to sign in anew finds again what was asked for: a long text stands in the fragment, which no answer names.
const form = document.querySelector("form.sign-in");
form?.setAttribute("action", form.getAttribute("action") + location.hash);
