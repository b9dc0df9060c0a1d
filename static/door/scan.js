// The camera of a volunteer's phone. Everything it does can be done by typing, too.

import { prepareZXingModule, readBarcodes } from "zxing-wasm/reader";
import readerWasm from "zxing-wasm/reader/zxing_reader.wasm";
import { ask, show } from "./answer.js";

const EVERY_MS = 120;
// A QR code that fills a third of the frame is read at this width; more only costs time.
const WIDEST = 960;
const RETRY_MS = 3000;
// A ticket still held into the frame after its answer is not read again until it has been away this long.
const FORGET_MS = 1500;

const find = document.querySelector("[data-read]");
const video = find.querySelector("video");
const hint = find.querySelector("[data-hint]");
const offline = document.querySelector("[data-offline]");
const torch = document.querySelector("[data-torch]");

prepareZXingModule({ overrides: { locateFile: (path, prefix) => (path.endsWith(".wasm") ? readerWasm : prefix + path) } });

const canvas = document.createElement("canvas");
const drawing = canvas.getContext("2d", { willReadFrequently: true });

let last = { text: null, seen: 0 };

function say(what) {
  hint.textContent = hint.dataset[what];
}

async function start() {
  if (!window.isSecureContext || !navigator.mediaDevices?.getUserMedia) return say("insecure");
  say("starting");
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 } } });
  } catch (refusal) {
    return say(refusal.name === "NotFoundError" ? "absent" : "denied");
  }
  video.srcObject = stream;
  video.hidden = false;
  await video.play();
  offerTorch(stream.getVideoTracks()[0]);
  scan();
}

function offerTorch(track) {
  if (!track.getCapabilities?.().torch) return;
  torch.hidden = false;
  let lit = false;
  torch.addEventListener("click", async () => {
    lit = !lit;
    await track.applyConstraints({ advanced: [{ torch: lit }] });
  });
}

// Looks until it has read something, then asks about it; the next guest begins it anew.
async function scan() {
  say("ready");
  for (;;) {
    const text = fresh(video.readyState >= 2 ? await inFrame() : []);
    if (text) return decide(text);
    await pause(EVERY_MS);
  }
}

// Returns the texts of the QR codes the camera sees now.
async function inFrame() {
  const shrunk = Math.min(1, WIDEST / video.videoWidth);
  canvas.width = Math.round(video.videoWidth * shrunk);
  canvas.height = Math.round(video.videoHeight * shrunk);
  drawing.drawImage(video, 0, 0, canvas.width, canvas.height);
  const frame = drawing.getImageData(0, 0, canvas.width, canvas.height);
  const codes = await readBarcodes(frame, { formats: ["QRCode"], tryHarder: true });
  return codes.filter((code) => code.isValid).map((code) => code.text);
}

function fresh(texts) {
  const now = performance.now();
  if (last.text && texts.includes(last.text)) {
    last.seen = now;
    return texts.find((text) => text !== last.text);
  }
  if (now - last.seen > FORGET_MS) last.text = null;
  return texts[0];
}

async function decide(text) {
  say("asking");
  for (;;) {
    try {
      const answer = await ask(text, "scanned");
      offline.hidden = true;
      last = { text, seen: performance.now() };
      show(answer, () => {
        last.seen = performance.now();
        scan();
      });
      return;
    } catch (refusal) {
      // The phone was taken away, or the page is stale: the server says so on a page of its own.
      if (!(refusal instanceof TypeError)) return location.reload();
      offline.hidden = false;
      await pause(RETRY_MS);
    }
  }
}

function pause(milliseconds) {
  return new Promise((done) => setTimeout(done, milliseconds));
}

start();
