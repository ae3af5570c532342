// Passkeys: a form that says what to ask the browser for, and takes what it answers. Nothing is fetched.
"use strict";
(() => {
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (each) => each.charCodeAt(0));
  const text = (data) =>
    data && btoa(String.fromCharCode(...new Uint8Array(data))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const listed = (keys) => (keys || []).map((each) => ({ ...each, id: bytes(each.id) }));

  const ask = async (form) => {
    const asked = JSON.parse(form.dataset.options);
    asked.challenge = bytes(asked.challenge);
    if (form.dataset.passkey === "sign") {
      asked.allowCredentials = listed(asked.allowCredentials);
      return navigator.credentials.get({ publicKey: asked });
    }
    asked.user.id = bytes(asked.user.id);
    asked.excludeCredentials = listed(asked.excludeCredentials);
    return navigator.credentials.create({ publicKey: asked });
  };

  const told = (made) => {
    const response = {};
    for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (made.response[name]) response[name] = text(made.response[name]);
    }
    return JSON.stringify({ id: made.id, rawId: text(made.rawId), type: made.type, response });
  };

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    if (!window.PublicKeyCredential) continue;
    form.hidden = false;
    form.addEventListener("submit", async (event) => {
      if (form.elements.answer.value) return;
      event.preventDefault();
      const failed = form.querySelector("[data-passkey-failed]");
      failed.hidden = true;
      try {
        form.elements.answer.value = told(await ask(form));
        form.requestSubmit();
      } catch {
        failed.hidden = false;
        failed.setAttribute("role", "alert");
      }
    });
  }
  window.addEventListener("pageshow", () => {
    for (const answer of document.querySelectorAll("form[data-passkey] input[name=answer]")) answer.value = "";
  });
})();
