// Keeps what was typed into a form with data-draft on this device until the form has gone through.
//
// Only free text is kept, only in forms that ask for it, and no longer than a week: the device may be shared.
// A form has gone through when the page that answers it says nothing against it. One that comes back (something
// to put right, refused, the network away, only filled in further) keeps its draft, and the server's own values win over it.

const PREFIX = "draft:";
const WEEK = 7 * 24 * 60 * 60 * 1000;
const PENDING = "drafts-sent";

// Puts kept text back into the forms and keeps what is typed from now on.
export function keepDrafts(forms) {
  for (const form of forms) keep(form);
}

function fields(form) {
  return [...form.querySelectorAll("textarea[name], input[type=text][name]")];
}

function keep(form) {
  const key = PREFIX + form.dataset.draft;
  const kept = read(key);
  if (kept) {
    for (const field of fields(form)) {
      if (!field.value && kept.texts[field.name]) {
        field.value = kept.texts[field.name];
        field.dispatchEvent(new Event("input", { bubbles: true }));
      }
    }
  }
  form.addEventListener("input", () => {
    const texts = Object.fromEntries(fields(form).map(({ name, value }) => [name, value]));
    const empty = Object.values(texts).every((text) => !text);
    empty ? drop(key) : write(key, { at: Date.now(), texts });
    for (const sign of form.querySelectorAll("[data-draft-kept]")) sign.hidden = empty;
  });
  form.addEventListener("submit", () => {
    try {
      sessionStorage.setItem(PENDING, JSON.stringify({ key, from: location.href.split("#")[0] }));
    } catch {
      // closed: the draft stays until its week is over
    }
  });
}

// Called once on each page, before its forms get their drafts back.
export function forgetDrafts() {
  try {
    for (const name of Object.keys(localStorage)) {
      if (name.startsWith(PREFIX) && !(Date.now() - read(name)?.at < WEEK)) drop(name);
    }
    const pending = JSON.parse(sessionStorage.getItem(PENDING));
    // Only an answer comes from the form's own page; going back, reloading and typed addresses do not.
    const [entry] = performance.getEntriesByType("navigation");
    if (!pending || entry?.type !== "navigate" || document.referrer !== pending.from) return;
    sessionStorage.removeItem(PENDING);
    if (!document.querySelector(".o-error, .o-errors, .o-flashes .o-n-late, [aria-invalid=true], [data-draft-unsent]")) drop(pending.key);
  } catch {
    // storage is closed in some private windows
  }
}

function read(key) {
  try {
    return JSON.parse(localStorage.getItem(key));
  } catch {
    return null;
  }
}

function write(key, value) {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // full or closed: the page works without
  }
}

function drop(key) {
  try {
    localStorage.removeItem(key);
  } catch {
    // closed
  }
}
