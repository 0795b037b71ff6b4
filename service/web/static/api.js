// "Try it" on the page of the API: a call is sent to this very service, with the key that was typed in, and its answer
// shown. The key stays in the page: it is kept nowhere and sent to nobody else. Without this there is the command line.

const MOST = 20_000; // characters of an answer that are shown
const key = document.getElementById("t-key");

for (const part of document.querySelectorAll("[data-try]")) part.hidden = false;

document.addEventListener("submit", (event) => {
  if (!event.target.matches("form.try")) return;
  event.preventDefault();
  send(event.target);
});

async function send(form) {
  const shown = form.querySelector("[role=status]");
  const address = new URL(form.elements.address.value, location.origin);
  if (address.origin !== location.origin) {
    shown.textContent = "An address of this service begins with a slash.";
    return;
  }
  shown.textContent = "…";
  const headers = { Accept: "application/json" };
  if (key.value.trim()) headers.Authorization = `Bearer ${key.value.trim()}`;
  try {
    const answer = await fetch(address, {
      method: form.dataset.method,
      headers: form.elements.body ? { ...headers, "Content-Type": "application/json" } : headers,
      body: form.elements.body?.value ?? (form.elements.file ? filled(form) : undefined),
      credentials: "omit",
      cache: "no-store",
    });
    shown.textContent = `${answer.status} ${answer.statusText}\n${await readable(answer)}`;
  } catch (error) {
    shown.textContent = `The service did not answer: ${error.message}`;
  }
}

async function readable(answer) {
  const kind = answer.headers.get("Content-Type") ?? "";
  if (!/json|text|xml/.test(kind)) {
    const { size } = await answer.blob();
    return size ? `${kind}, ${size} bytes` : "";
  }
  const text = await answer.text();
  try {
    return JSON.stringify(JSON.parse(text), null, 2).slice(0, MOST);
  } catch {
    return text.slice(0, MOST);
  }
}

function filled(form) {
  const data = new FormData();
  data.append("file", form.elements.file.files[0]);
  return data;
}
