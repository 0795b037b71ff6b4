// Small comforts for pages that work without them: menus that close, and fields that copy.

for (const menu of document.querySelectorAll("details.menu")) {
  menu.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && menu.open) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });
  document.addEventListener("click", (event) => {
    if (!menu.contains(event.target)) menu.open = false;
  });
}

// Copying needs https or this machine; elsewhere the older way does it, with the text marked for a moment.
const copy = async (element) => {
  try {
    await navigator.clipboard.writeText(element.textContent);
    return true;
  } catch {
    const chosen = window.getSelection();
    chosen.selectAllChildren(element);
    const done = document.execCommand("copy");
    if (done) chosen.removeAllRanges();
    return done; // where even that is refused, the text stays marked for Ctrl+C
  }
};
const showButtons = () => {
  for (const button of document.querySelectorAll("button[data-copy]")) {
    button.hidden = !document.getElementById(button.dataset.copy);
  }
  for (const button of document.querySelectorAll("button[data-share]")) button.hidden = !navigator.share;
};
showButtons();
document.addEventListener("emblem:shown", showButtons); // a script has put other contents into the page
document.addEventListener("click", async (event) => {
  const copying = event.target.closest?.("button[data-copy]");
  if (copying && (await copy(document.getElementById(copying.dataset.copy)))) {
    copying.querySelector("[role=status]").textContent = copying.dataset.copied;
  }
  const sharing = event.target.closest?.("button[data-share]");
  if (sharing) navigator.share({ title: sharing.dataset.share, url: location.href }).catch(() => {});
});
