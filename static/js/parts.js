// Pages that change in part, by htmx.

import htmx from "htmx.org";

// Says the form's token with every request, makes new parts as handy as the page, and lets go of sent buttons.
export function changeInPart({ enhance, release }) {
  const token = document.querySelector('meta[name="csrf-token"]')?.content;
  document.addEventListener("htmx:configRequest", ({ detail }) => {
    if (token) detail.headers["X-CSRFToken"] = token;
  });
  document.addEventListener("htmx:afterRequest", ({ target }) => {
    const form = target.closest("form");
    if (form) release(form);
  });
  htmx.onLoad((root) => root !== document.body && enhance(root));
  // It may have come after the moment it waits for by itself.
  htmx.process(document.body);
}
