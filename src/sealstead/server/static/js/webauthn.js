// Security keys (WebAuthn). The only thing on this server that cannot be done without JavaScript.
//
// A form `data-webauthn="get|create"` carries the server's question in `data-options`; its button asks the browser,
// puts the key's answer into the field `credential`, and sends the form.
"use strict";

(() => {
  const bytesOf = (text) => {
    const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    return Uint8Array.from(plain, (character) => character.charCodeAt(0));
  };
  const textOf = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer)))
      .replaceAll("+", "-")
      .replaceAll("/", "_")
      .replaceAll("=", "");

  const decoded = (options) => {
    const ids = (list) => (list || []).map((item) => ({ ...item, id: bytesOf(item.id) }));
    const question = { ...options, challenge: bytesOf(options.challenge) };
    if (options.user) question.user = { ...options.user, id: bytesOf(options.user.id) };
    if (options.excludeCredentials) question.excludeCredentials = ids(options.excludeCredentials);
    if (options.allowCredentials) question.allowCredentials = ids(options.allowCredentials);
    return question;
  };

  const encoded = (credential) => {
    const response = {};
    for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (credential.response[name]) response[name] = textOf(credential.response[name]);
    }
    return {
      id: credential.id,
      rawId: textOf(credential.rawId),
      type: credential.type,
      response,
      clientExtensionResults: credential.getClientExtensionResults(),
    };
  };

  for (const form of document.querySelectorAll("form[data-webauthn]")) {
    const button = form.querySelector("[data-webauthn-start]");
    const error = form.querySelector("[data-webauthn-error]");
    const create = form.dataset.webauthn === "create";
    if (!window.PublicKeyCredential) {
      error.hidden = false;
      continue;
    }
    button.hidden = false;
    const ask = async () => {
      error.hidden = true;
      try {
        const options = JSON.parse(form.dataset.options);
        const publicKey = decoded(options.publicKey || options);
        const credential = create
          ? await navigator.credentials.create({ publicKey })
          : await navigator.credentials.get({ publicKey });
        form.elements.credential.value = JSON.stringify(encoded(credential));
        form.submit();
      } catch {
        error.hidden = false;
      }
    };
    button.addEventListener("click", ask);
    // Enter in the name's field must not send the form without an answer.
    form.addEventListener("submit", (event) => {
      if (!form.elements.credential.value) {
        event.preventDefault();
        ask();
      }
    });
  }
})();
