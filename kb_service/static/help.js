// Letters as keys can be switched off, for this browser.
const box = document.getElementById("letters");
box.checked = localStorage.getItem("kb-keys") !== "off";
box.addEventListener("change", () => localStorage.setItem("kb-keys", box.checked ? "on" : "off"));
