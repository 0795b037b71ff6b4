// The variant builder, live: what the form asks for is fetched as a page, and its results take the place of those shown.
// Without this the button asks for the same page.

const form = document.getElementById("build");
const text = form.elements.namedItem("on");
const pick = document.getElementById("b-pick");
const PAUSE = 250; // milliseconds without a change after which the server is asked

let waiting = 0;
let asked = null; // the request that is under way

pick.hidden = false;
pick.addEventListener("input", () => {
  text.value = pick.value.slice(1);
  soon();
});
text.addEventListener("input", () => {
  const value = text.value.replace(/^#/, "");
  if (/^[0-9a-f]{6}$/i.test(value)) pick.value = `#${value}`;
});
form.addEventListener("input", soon);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  show();
});

function soon() {
  clearTimeout(waiting);
  waiting = setTimeout(show, PAUSE);
}

function show() {
  clearTimeout(waiting);
  asked?.abort();
  const mine = (asked = new XMLHttpRequest());
  const address = `${form.action}?${new URLSearchParams(new FormData(form))}`;
  mine.open("GET", address);
  mine.setRequestHeader("Accept", "text/html");
  mine.responseType = "document"; // read by the browser itself: a script of ours turns no text into markup
  mine.onload = () => (mine.status === 200 && mine.response ? exchange(mine.response, address) : mine.onerror());
  mine.onerror = () => location.assign(address); // the page itself says what is wrong
  mine.send();
}

function exchange(page, address) {
  for (const id of ["built", "texts"]) {
    const [now, then] = [document.getElementById(id), page.getElementById(id)];
    if (now && then) now.replaceChildren(...then.childNodes);
    else if (now) now.remove();
    else if (then) document.getElementById("built").parentElement.after(then);
  }
  // Another logo has colourways of its own, and another smallest width.
  const colourway = form.elements.namedItem("colourway");
  const kept = page.querySelector("[name=colourway]");
  if (kept.innerHTML !== colourway.innerHTML) colourway.replaceChildren(...kept.childNodes);
  document.getElementById("b-width-help").textContent = page.getElementById("b-width-help").textContent;
  history.replaceState(null, "", address);
  document.dispatchEvent(new CustomEvent("emblem:shown"));
}
