// Keys of the desk: j and k go on and back, x ticks, a and d lead to the buttons, r to the question, / to the search,
// ? hides and shows what they are. Without this everything is done with links and forms.

const typing = (target) => target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]") !== null;
const cases = () => [...document.querySelectorAll("a[data-case]")];

function move(step) {
  const link = document.querySelector(step > 0 ? "a[rel=next]:not(.button)" : "a[rel=prev]");
  const rows = cases();
  if (rows.length === 0) {
    link?.click();
    return;
  }
  const at = rows.indexOf(document.activeElement);
  rows[Math.min(Math.max(at + step, 0), rows.length - 1)].focus();
}

function find(key) {
  if (key === "/") return document.querySelector("[data-search]");
  const target = document.querySelector(`[data-key="${key}"]`);
  return target?.matches("[data-bulk]") && !document.querySelector("input[name=case]:checked") ? null : target;
}

function tick() {
  const box = document.activeElement.closest("tr")?.querySelector("input[name=case]");
  if (box) box.checked = !box.checked;
}

const help = document.querySelector("[data-keys]");
if (help) help.hidden = false;

const all = document.querySelector("[data-tick-all]");
if (all) {
  all.hidden = false;
  all.addEventListener("change", () => {
    for (const box of document.querySelectorAll("input[name=case]")) box.checked = all.checked;
  });
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || typing(event.target)) return;
  if (event.key === "j" || event.key === "k") {
    move(event.key === "j" ? 1 : -1);
  } else if (event.key === "?") {
    if (help) help.hidden = !help.hidden;
  } else if (event.key === "x") {
    tick();
  } else {
    const target = ["a", "d", "r", "/"].includes(event.key) ? find(event.key) : null;
    if (!target) return;
    target.focus();
    target.scrollIntoView({ block: "center" });
  }
  event.preventDefault();
});
