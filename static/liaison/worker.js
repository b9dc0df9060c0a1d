// Lets a visit be written down without a network, and keeps it until it can be sent.
//
// The form of a visit and what it needs are kept while there is a network. What is sent and finds none is kept on this
// device, sealed (see kept.js), and the page says so. Only this form is dealt with; everything else goes its own way.

import { keep } from "./kept.js";

const CACHE = "visit-form";
const FORM = "/desk/visits/new";

addEventListener("install", (event) => event.waitUntil(skipWaiting()));
addEventListener("activate", (event) => event.waitUntil(clients.claim()));

addEventListener("fetch", (event) => {
  const { request } = event;
  const { pathname, origin } = new URL(request.url);
  if (origin !== location.origin) return;
  if (pathname === FORM && request.method === "POST" && request.mode === "navigate") event.respondWith(send(request));
  else if (pathname === FORM && request.mode === "navigate") event.respondWith(form(request));
  else if (request.method === "GET" && request.mode !== "navigate" && !pathname.startsWith("/desk/")) event.respondWith(part(request));
});

async function send(request) {
  const copy = request.clone();
  try {
    return await fetch(request);
  } catch {
    await keep(await copy.formData());
    return Response.redirect(FORM, 303);
  }
}

async function form(request) {
  try {
    return await fetch(request);
  } catch (away) {
    const kept = await caches.match(FORM, { cacheName: CACHE });
    if (!kept) throw away;
    // Each opening is a form of its own, or a second visit would be taken for the first one sent twice.
    const token = [...crypto.getRandomValues(new Uint8Array(18))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    const page = (await kept.text())
      .replace(/(<input[^>]*name="form_token"[^>]*value=")[^"]*/, `$1${token}`)
      .replace("<body ", "<body data-offline ");
    return new Response(page, { headers: { "Content-Type": "text/html; charset=utf-8", ...policyOf(kept) } });
  }
}

function policyOf(kept) {
  const policy = kept.headers.get("Content-Security-Policy");
  return policy ? { "Content-Security-Policy": policy } : {};
}

async function part(request) {
  const kept = await caches.match(request, { cacheName: CACHE });
  if (kept && new URL(request.url).pathname.startsWith("/static/")) return kept; // its name changes with its content
  try {
    return await fetch(request);
  } catch (away) {
    if (!kept) throw away;
    return kept;
  }
}
