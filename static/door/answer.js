// Asking the door and showing its answer, for the camera and for typed codes.

const TONES = { in: [880, 1320], twice: [440], no: [220, 180] };
const BUZZ = { in: [60], twice: [60, 60, 60], no: [240] };

// Returns {verdict, shown}; throws a TypeError where there is no network, an Error where the server refuses.
export async function ask(text, way) {
  const address = document.querySelector("[data-read]").dataset.read;
  const response = await fetch(address, {
    method: "POST",
    credentials: "same-origin",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ text, way }),
  });
  if (!response.ok) throw new Error(String(response.status));
  return response.json();
}

// Fills the screen with the answer until the next guest is asked for.
export function show({ verdict, shown }, onNext) {
  const asking = document.querySelector(".o-shell");
  const answer = document.createElement("div");
  answer.className = "o-shell";
  answer.append(document.querySelector(`template[data-verdict="${verdict}"]`).content.cloneNode(true));
  for (const slot of answer.querySelectorAll("[data-slot]")) slot.textContent = shown[slot.dataset.slot] ?? "";
  for (const part of answer.querySelectorAll("[data-needs]")) part.hidden = !shown[part.dataset.needs];
  asking.hidden = true;
  asking.after(answer);
  document.body.classList.add(`o-door-${verdict}`);
  answer.querySelector("main").focus();
  for (const way of answer.querySelectorAll("[data-next]")) {
    way.addEventListener("click", (event) => {
      event.preventDefault();
      const place = answer.querySelector(".o-door-top .o-grow");
      asking.querySelector(".o-door-top .o-grow").replaceChildren(...place.childNodes);
      answer.remove();
      document.body.classList.remove(`o-door-${verdict}`);
      asking.hidden = false;
      onNext();
    });
  }
  navigator.vibrate?.(BUZZ[verdict]);
  sound(TONES[verdict]);
}

let audio;

function sound(tones) {
  try {
    audio ??= new AudioContext();
    if (audio.state !== "running") return; // the browser wants a touch first
    tones.forEach((pitch, turn) => {
      const tone = audio.createOscillator();
      const loudness = audio.createGain();
      const begins = audio.currentTime + turn * 0.12;
      tone.frequency.value = pitch;
      loudness.gain.setValueAtTime(0.2, begins);
      loudness.gain.exponentialRampToValueAtTime(0.001, begins + 0.11);
      tone.connect(loudness).connect(audio.destination);
      tone.start(begins);
      tone.stop(begins + 0.12);
    });
  } catch {
    // a phone without sound still shows the answer
  }
}

document.addEventListener("pointerdown", () => (audio ??= new AudioContext())?.resume?.(), { once: true });
