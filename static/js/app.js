// What makes pages quicker to use. Every page works without it.

import { forgetDrafts, keepDrafts } from "./drafts.js";

// «/» goes to the search field, unless somebody is writing.
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  const search = document.querySelector('[data-shortcut="/"]');
  if (!search) return;
  event.preventDefault();
  search.focus();
  search.select();
});

// Enter chooses a character while one is being composed; it must not send the form.
// Safari ends the composition before the key arrives, and then only says 229.
document.addEventListener(
  "keydown",
  (event) => {
    if (event.key === "Enter" && (event.isComposing || event.keyCode === 229) && event.target.matches("input")) {
      event.preventDefault();
    }
  },
  true,
);

// A form is sent once. Its button says what is going on, and is itself again if the page is come back to.
const sent = new WeakSet();
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post" || form.target) return;
  if (sent.has(form)) {
    event.preventDefault();
    return;
  }
  sent.add(form);
  const button = event.submitter;
  if (!button) return;
  button.setAttribute("aria-busy", "true");
  if (button.dataset.busy) {
    button.dataset.idle = button.innerHTML;
    button.textContent = button.dataset.busy;
  }
  // An answer that is a file leaves the page standing: let go of the button after a while.
  setTimeout(() => release(form), 20000);
});

function release(form) {
  sent.delete(form);
  for (const button of form.querySelectorAll("[aria-busy]")) {
    button.removeAttribute("aria-busy");
    if (button.dataset.idle) button.innerHTML = button.dataset.idle;
    delete button.dataset.idle;
  }
}
addEventListener("pageshow", () => document.querySelectorAll("form").forEach(release));

// Menus close on Escape, on a press elsewhere, and when another opens.
function closeMenus(except) {
  for (const menu of document.querySelectorAll("details.o-menu[open]")) {
    if (!menu.contains(except)) menu.open = false;
  }
}
document.addEventListener("click", ({ target }) => closeMenus(target));
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const open = event.target.closest("details.o-menu[open]");
  closeMenus(null);
  open?.querySelector("summary").focus();
});

// A page with mistakes begins at them.
document.querySelector("[data-focus]")?.focus();

// The element itself or what stands in it: a part that htmx brings may be the very thing.
function within(root, selector) {
  return [...(root.matches?.(selector) ? [root] : []), ...root.querySelectorAll(selector)];
}

function enhance(root) {
  for (const button of within(root, "[data-copy]")) {
    button.hidden = false;
    button.onclick = () => copy(button);
  }
  for (const button of within(root, "[data-print]")) {
    button.hidden = false;
    button.onclick = () => print();
  }
  for (const input of within(root, ".o-code6 > input")) followCode(input);
  for (const input of within(root, ".o-file")) {
    input.ondragenter = () => input.classList.add("over");
    input.ondragleave = input.ondrop = () => input.classList.remove("over");
  }
  for (const bar of within(root, "[data-bulk]")) followRows(bar);
  keepDrafts(within(root, "form[data-draft]"));
}

async function copy(button) {
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
  } catch {
    // Without HTTPS there is no clipboard: let the old way do it.
    const field = Object.assign(document.createElement("textarea"), { value: button.dataset.copy, readOnly: true });
    field.className = "o-sr";
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }
  const word = button.querySelector("span");
  const before = word.textContent;
  word.textContent = button.dataset.copied;
  setTimeout(() => (word.textContent = before), 2000);
}

// Lights up the box that the next digit goes into, and sends the form when all six are there, if it may.
function followCode(input) {
  const boxes = input.parentElement.querySelectorAll(".o-cell");
  const light = () => {
    const at = document.activeElement === input ? Math.min(input.value.length, 5) : -1;
    boxes.forEach((box, index) => box.classList.toggle("at", index === at));
  };
  input.addEventListener("input", () => {
    input.value = input.value.normalize("NFKC").replace(/\D/g, "").slice(0, 6);
    light();
    if (input.value.length === 6 && "sendWhenFull" in input.dataset) input.form.requestSubmit();
  });
  input.addEventListener("focus", light);
  input.addEventListener("blur", light);
  light();
}

// The bar above a table counts the chosen rows, and is there only while there are some.
function followRows(bar) {
  const rows = () => [...document.querySelectorAll(`[data-row][form="${bar.id}"]`)];
  const all = document.querySelector("[data-all-rows]");
  const count = bar.querySelector("[data-bulk-count]");
  const show = () => {
    const boxes = rows();
    const chosen = boxes.filter((box) => box.checked).length;
    bar.hidden = chosen === 0;
    count.textContent = chosen === 1 ? count.dataset.one : count.dataset.many.replace("{n}", chosen);
    for (const box of boxes) box.closest("tr")?.classList.toggle("sel", box.checked);
    if (all) {
      all.checked = chosen > 0 && chosen === boxes.length;
      all.indeterminate = chosen > 0 && chosen < boxes.length;
    }
  };
  if (all) {
    all.hidden = false;
    all.onchange = () => {
      for (const box of rows()) box.checked = all.checked;
      show();
    };
  }
  document.addEventListener("change", ({ target }) => target.matches("[data-row]") && show());
  show();
}

// Whoever signs out leaves no form of theirs behind for times without a network; what waits to be sent stays, sealed.
if (document.querySelector('form[action*="/desk/sign-in"]') && "caches" in window) caches.delete("visit-form");

forgetDrafts();
enhance(document);

// Only pages that change in part load what changes them.
if (document.querySelector("[hx-get], [hx-post]")) {
  import("./parts.js").then(({ changeInPart }) => changeInPart({ enhance, release }));
}
