// A typed code without a network stays where it was typed.

import { ask, show } from "./answer.js";

const form = document.getElementById("code-form");
const code = form.elements.code;
const offline = document.querySelector("[data-offline]");

form.addEventListener("submit", async (event) => {
  if (!code.value.trim()) return; // the server says what is missing
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  try {
    const answer = await ask(code.value, "typed");
    offline.hidden = true;
    show(answer, () => {
      code.value = "";
      code.focus();
    });
  } catch (refusal) {
    if (!(refusal instanceof TypeError)) return location.reload();
    offline.hidden = false;
  } finally {
    button.disabled = false;
  }
});
