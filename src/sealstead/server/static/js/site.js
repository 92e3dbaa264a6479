// Progressive enhancement only: every page works without this file.
"use strict";

(() => {
  const words = document.body.dataset;

  // Announces without moving the focus; one live region for the page.
  const live = document.createElement("p");
  live.className = "visually-hidden";
  live.setAttribute("role", "status");
  document.body.append(live);

  const copy = async (button, text) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // No clipboard outside a secure context (plain http on another host): select, so that the keyboard copies.
      const source = document.getElementById(button.dataset.copySource);
      if (source) {
        const range = document.createRange();
        range.selectNodeContents(source);
        const selection = window.getSelection();
        selection.removeAllRanges();
        selection.addRange(range);
      }
      return;
    }
    live.textContent = words.copied;
    const label = button.textContent;
    button.textContent = words.copied;
    button.disabled = true;
    setTimeout(() => {
      button.textContent = label;
      button.disabled = false;
      live.textContent = "";
    }, 1500);
  };

  // `[data-copy]` is the element whose text is copied; the button is made here, for without script it could do nothing.
  let count = 0;
  for (const source of document.querySelectorAll("[data-copy]")) {
    source.id ||= `copy-source-${(count += 1)}`;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button copy-button";
    button.textContent = words.copyLabel;
    button.dataset.copySource = source.id;
    if (source.dataset.copy) button.setAttribute("aria-label", source.dataset.copy);
    button.addEventListener("click", () => copy(button, source.textContent.trim()));
    const frame = document.createElement("div");
    frame.className = "copy-frame";
    source.replaceWith(frame);
    frame.append(source, button);
  }

  // A page that came anew by itself says what is new in it, once its reader is there to hear it.
  const news = document.querySelector("[data-announce]");
  if (news) setTimeout(() => (live.textContent = news.textContent.trim()), 500);
})();
