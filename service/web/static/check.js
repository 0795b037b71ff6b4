// The artwork check with comfort: a file dropped or pasted, progress while it is sent, and no page that goes blank.
// Without this the form is sent like any other.

const form = () => document.getElementById("check"); // another one after each answer with a mistake in it
const file = () => form()?.querySelector("input[type=file]");

function welcome() {
  for (const words of document.querySelectorAll("#check [data-script]")) words.hidden = false;
}

function take(files) {
  if (!file() || !files || files.length === 0) return false;
  const chosen = new DataTransfer();
  chosen.items.add(files[0]);
  file().files = chosen.files;
  form().requestSubmit();
  return true;
}

const holdsFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
const over = (yes) => form()?.querySelector("[data-drop]").classList.toggle("drop-over", yes);

for (const name of ["dragenter", "dragover"]) {
  document.addEventListener(name, (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    over(true);
  });
}
document.addEventListener("dragleave", (event) => {
  if (event.relatedTarget === null) over(false);
});
document.addEventListener("drop", (event) => {
  over(false);
  if (!holdsFiles(event)) return;
  event.preventDefault();
  take(event.dataTransfer.files);
});
document.addEventListener("paste", (event) => {
  if (take(event.clipboardData?.files)) event.preventDefault();
});
document.addEventListener("submit", (event) => {
  if (event.target !== form() || file().files.length === 0) return; // the server says what is missing
  event.preventDefault();
  send(event.target);
});

function send(sent) {
  const button = sent.querySelector("button[type=submit]");
  const box = sent.querySelector("[data-progress]");
  const bar = box.querySelector("progress");
  const say = (state) => {
    for (const words of box.querySelectorAll("[data-state]")) words.hidden = words.dataset.state !== state;
  };
  const request = new XMLHttpRequest();
  button.disabled = true;
  box.hidden = bar.hidden = false;
  bar.value = 0;
  say("sending");
  request.upload.addEventListener("progress", (event) => {
    if (event.lengthComputable) bar.value = (100 * event.loaded) / event.total;
  });
  request.upload.addEventListener("load", () => {
    bar.removeAttribute("value"); // how long the check takes is not known
    say("checking");
  });
  request.addEventListener("error", () => {
    button.disabled = false;
    bar.hidden = true;
    say("failed");
  });
  request.addEventListener("load", () => {
    const led = new URL(request.responseURL).pathname !== new URL(sent.action).pathname;
    if (request.status < 400 && led) location.assign(request.responseURL);
    else show(request.response);
  });
  request.open("POST", sent.action);
  request.setRequestHeader("Accept", "text/html");
  request.responseType = "document";
  request.send(new FormData(sent));
}

// The answer of the server in place of this page's content: the form with what is wrong, or why nothing is checked.
function show(answer) {
  const main = answer?.querySelector("main");
  if (!main) {
    location.reload();
    return;
  }
  document.querySelector("main").replaceWith(document.adoptNode(main));
  document.title = answer.title;
  welcome();
  (document.getElementById("errors") ?? main).focus();
}

welcome();
