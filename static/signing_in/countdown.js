// Counts down to the moment another code can be asked for; sends the form when the sixth digit is in.
// Without script the button is there from the start, and the server says how long to wait.

for (const button of document.querySelectorAll("button[data-wait]")) {
  const words = button.textContent;
  const until = performance.now() + Number(button.dataset.wait) * 1000;
  button.disabled = true;
  const tick = () => {
    const left = Math.ceil((until - performance.now()) / 1000);
    if (left > 0) {
      button.textContent = button.dataset.waiting.replace("{n}", left);
      return;
    }
    clearInterval(timer);
    button.disabled = false;
    button.textContent = words;
  };
  const timer = setInterval(tick, 1000);
  tick();
}

for (const form of document.querySelectorAll("form[data-submit-when-full]")) {
  const field = form.querySelector("input[autocomplete='one-time-code']");
  const length = Number(form.dataset.submitWhenFull);
  let sent = false;
  field?.addEventListener("input", (event) => {
    if (event.isComposing || sent || field.value.replace(/\D/g, "").length < length) return;
    sent = true;
    form.requestSubmit();
  });
}
