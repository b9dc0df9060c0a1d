// Visits that wait on this device for a network: sealed with a key that the browser gives to nobody, not even to us.
//
// Each is { id, account, at, iv, sealed }: id is the form's own token, by which the server knows one it has already.

const NAME = "visits";

function open() {
  return new Promise((done, fail) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("kept", { keyPath: "id" });
      request.result.createObjectStore("key");
    };
    request.onsuccess = () => done(request.result);
    request.onerror = () => fail(request.error);
  });
}

async function inside(store, mode, use) {
  const base = await open();
  try {
    return await new Promise((done, fail) => {
      const transaction = base.transaction(store, mode);
      const request = use(transaction.objectStore(store));
      transaction.oncomplete = () => done(request?.result);
      transaction.onerror = transaction.onabort = () => fail(transaction.error);
    });
  } finally {
    base.close();
  }
}

async function key() {
  const kept = await inside("key", "readonly", (store) => store.get("key"));
  if (kept) return kept;
  const made = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  await inside("key", "readwrite", (store) => store.put(made, "key"));
  return made;
}

// Keeps what a form holds; the same form kept again replaces what was kept of it.
export async function keep(form) {
  const parts = [];
  for (const [name, value] of form) {
    if (name === "csrf_token") continue;
    parts.push(typeof value === "string" ? [name, value] : [name, await written(value), value.name, value.type]);
  }
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const plain = new TextEncoder().encode(JSON.stringify(parts));
  const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, await key(), plain);
  const entry = { id: form.get("form_token"), account: form.get("account"), at: Date.now(), iv, sealed };
  await inside("kept", "readwrite", (store) => store.put(entry));
}

// Returns what waits for an account, without opening it.
export async function waiting(account) {
  const all = await inside("kept", "readonly", (store) => store.getAll());
  return all.filter((entry) => entry.account === account).sort((one, other) => one.at - other.at);
}

// Returns a kept visit as a form that can be sent.
export async function opened(entry) {
  const plain = await crypto.subtle.decrypt({ name: "AES-GCM", iv: entry.iv }, await key(), entry.sealed);
  const form = new FormData();
  for (const [name, value, filename, type] of JSON.parse(new TextDecoder().decode(plain))) {
    if (filename === undefined) form.append(name, value);
    else if (value) form.append(name, new File([bytes(value)], filename, { type }));
  }
  return form;
}

export async function forget(entry) {
  await inside("kept", "readwrite", (store) => store.delete(entry.id));
}

async function written(file) {
  let text = "";
  const all = new Uint8Array(await file.arrayBuffer());
  for (let at = 0; at < all.length; at += 32768) text += String.fromCharCode(...all.subarray(at, at + 32768));
  return btoa(text);
}

function bytes(text) {
  return Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
}
