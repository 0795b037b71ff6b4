// Passkeys: the browser makes one or uses one, and its answer goes with the form. Nothing is kept here.

const bytes = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

function options(found) {
  const ids = (list) => (list ?? []).map((one) => ({ ...one, id: bytes(one.id) }));
  const made = { ...found, challenge: bytes(found.challenge) };
  if (found.user) made.user = { ...found.user, id: bytes(found.user.id) };
  if (found.excludeCredentials) made.excludeCredentials = ids(found.excludeCredentials);
  if (found.allowCredentials) made.allowCredentials = ids(found.allowCredentials);
  return made;
}

function answer(credential) {
  const response = { clientDataJSON: text(credential.response.clientDataJSON) };
  for (const name of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[name]) response[name] = text(credential.response[name]);
  }
  if (credential.response.getTransports) response.transports = credential.response.getTransports();
  const { id, type, authenticatorAttachment } = credential;
  return { id, rawId: text(credential.rawId), type, authenticatorAttachment, response, clientExtensionResults: {} };
}

async function ask(form) {
  const answered = await fetch(form.dataset.options, { method: "POST", headers: { Accept: "application/json" } });
  if (!answered.ok) throw new Error(String(answered.status));
  const publicKey = options(await answered.json());
  const way = form.dataset.passkey === "add" ? "create" : "get";
  return answer(await navigator.credentials[way]({ publicKey }));
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  const failed = form.querySelector("[data-failed]");
  if (!window.PublicKeyCredential) continue;
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    if (form.elements.credential.value) return;
    event.preventDefault();
    failed.hidden = true;
    try {
      form.elements.credential.value = JSON.stringify(await ask(form));
      form.submit();
    } catch {
      failed.hidden = false;
    }
  });
}
