"use strict";
const form = document.getElementById("filter");
const rows = Array.from(document.querySelectorAll("#cases tbody tr"));
const names = ["area", "backend", "verdict", "text"];
function apply() {
  const want = new FormData(form);
  const text = want.get("text").trim().toLowerCase();
  let shown = 0;
  for (const row of rows) {
    const fits = ["area", "backend", "verdict"].every(
      (name) => !want.get(name) || row.dataset[name] === want.get(name));
    row.hidden = !(fits && (!text || row.textContent.toLowerCase().includes(text)));
    shown += row.hidden ? 0 : 1;
  }
  document.getElementById("shown").value = shown + " of " + rows.length;
}
function remember() {
  const kept = new URLSearchParams();
  for (const name of names) {
    if (form.elements[name].value) kept.set(name, form.elements[name].value);
  }
  history.replaceState(null, "", "#" + kept);
}
for (const [name, value] of new URLSearchParams(location.hash.slice(1))) {
  if (names.includes(name)) form.elements[name].value = value;
}
form.addEventListener("input", () => { apply(); remember(); });
form.addEventListener("submit", (event) => event.preventDefault());
apply();
