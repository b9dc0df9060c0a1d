// The form of a visit without a network: keeps what it needs, says what waits on this device, and sends it when it can.

import { forget, opened, waiting } from "./kept.js";

const CACHE = "visit-form";

export async function workOffline(form) {
  // Without HTTPS a browser offers none of this, and the form works as every form does.
  if (!("serviceWorker" in navigator) || !window.isSecureContext || !crypto.subtle) return;
  const account = form.elements.account.value;
  const note = document.querySelector("[data-kept]");

  async function tell(refused = 0) {
    const count = (await waiting(account)).length;
    note.hidden = count === 0 && !("offline" in document.body.dataset);
    const { none, one, many, refusedOne } = note.dataset;
    note.querySelector("span").textContent = refused ? refusedOne : count === 0 ? none : count === 1 ? one : many.replace("{n}", count);
    return count;
  }

  async function sendAll() {
    const entries = await waiting(account);
    let refused = 0;
    if (navigator.onLine) {
      const pulse = await fetch(form.dataset.pulse, { cache: "no-store" }).catch(() => null);
      const known = pulse?.ok && !pulse.redirected ? await pulse.json() : null;
      if (!known || String(known.account) !== account) return tell();
      delete document.body.dataset.offline;
      for (const entry of entries) {
        const answer = await fetch(form.action, {
          method: "POST",
          body: await opened(entry),
          headers: { "X-CSRFToken": known.token },
        }).catch(() => null);
        if (answer?.ok && answer.redirected && /\/desk\/visits\/\d+$/.test(new URL(answer.url).pathname)) await forget(entry);
        else if (answer && answer.status < 500) refused += 1;
      }
    }
    return tell(refused);
  }

  const one = () => (navigator.locks ? navigator.locks.request("visits", sendAll) : sendAll());
  addEventListener("online", one);
  note.querySelector("[data-open-kept]").addEventListener("click", () => showAgain());

  // What the server refused is shown as it refuses it: with everything that was typed, and what is to be put right.
  async function showAgain() {
    const [entry] = await waiting(account);
    if (!entry) return;
    const again = document.createElement("form");
    Object.assign(again, { method: "post", action: form.action, hidden: true });
    const token = form.elements.csrf_token.value;
    const parts = [...(await opened(entry)), ["csrf_token", token]].filter(([, value]) => typeof value === "string");
    for (const [name, value] of parts) again.append(Object.assign(document.createElement("textarea"), { name, value }));
    document.body.append(again);
    await forget(entry);
    again.submit();
  }

  await navigator.serviceWorker.register(form.dataset.worker, { scope: "/desk/visits/", type: "module" }).catch(() => null);
  if (!("offline" in document.body.dataset)) await prepare(form).catch(() => null);
  await one();
}

// Keeps the page and its parts for a time without a network; the page last, for it is of no use without its parts.
async function prepare(form) {
  await navigator.serviceWorker.ready;
  const page = new URL(form.action).pathname;
  const parts = performance.getEntriesByType("resource").map(({ name }) => name);
  const linked = [...document.querySelectorAll("link[href], script[src]")].map((each) => each.href || each.src);
  const cache = await caches.open(CACHE);
  const wanted = [...new Set([...parts, ...linked])].filter((each) => {
    const { origin, pathname } = new URL(each);
    return origin === location.origin && !pathname.startsWith("/desk/");
  });
  await cache.addAll(wanted);
  const outdated = (await cache.keys()).filter(({ url }) => !wanted.includes(url) && new URL(url).pathname !== page);
  await Promise.all(outdated.map((each) => cache.delete(each)));
  const fresh = await fetch(page, { cache: "no-store" });
  if (fresh.ok && !fresh.redirected) await cache.put(page, fresh);
}
