// The form of a visit: rows for what is asked, who gets each, and a button that says what it will do.
// Without this script the form works too: the server adds rows and says the same after saving.

import { workOffline } from "./offline.js";

const form = document.getElementById("visit");

function sentence(text, values) {
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

function showWhereItGoes(ask) {
  const chosen = ask.querySelector("[data-topic]").selectedOptions[0];
  const line = ask.querySelector("[data-goes]");
  if (!chosen?.dataset.unit) {
    line.textContent = "";
    return;
  }
  const complex = ask.querySelector("[data-complex]").checked;
  const day = complex ? chosen.dataset.dueComplex : chosen.dataset.due;
  const text = "routed" in chosen.dataset ? form.dataset.goes : form.dataset.assigns;
  line.textContent = sentence(text, { unit: chosen.dataset.unit, day });
}

function showCount() {
  const asked = [...form.querySelectorAll("[data-ask] textarea")].filter((words) => words.value.trim()).length;
  const count = asked + (form.querySelector("[data-advice]").value.trim() ? 1 : 0);
  const { labelNone, labelOne, labelMany } = form.dataset;
  form.querySelector("[data-save]").textContent =
    count === 0 ? labelNone : count === 1 ? labelOne : sentence(labelMany, { n: count });
}

function showWho() {
  const boxes = [...form.querySelectorAll("[data-pairing]:checked")];
  const people = new Set(boxes.map((box) => box.dataset.person));
  for (const choice of form.querySelectorAll("[data-who]")) choice.hidden = people.size < 2;
  const names = form.querySelector("[data-chosen] .o-strong");
  if (boxes.length) names.textContent = [...new Set(boxes.map((box) => box.dataset.name))].join(form.dataset.comma);
}

// A page kept from an earlier day proposes that day.
function setNow() {
  const now = new Date();
  form.elements.at.value = new Date(now - now.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
}

function addRow() {
  const rows = form.querySelector("[data-asks]");
  const blank = form.querySelector("[data-ask-blank]");
  const numbers = [...rows.querySelectorAll("textarea")].map((words) => Number(words.name.split("-")[1]));
  const next = Math.max(-1, ...numbers) + 1;
  const row = document.createElement("div");
  row.append(blank.content.cloneNode(true));
  for (const part of row.querySelectorAll("[id], [name], [for]")) {
    for (const attribute of ["id", "name", "for"]) {
      const value = part.getAttribute(attribute);
      if (value) part.setAttribute(attribute, value.replace("__n__", next));
    }
  }
  const ask = row.firstElementChild;
  rows.append(ask);
  ask.querySelector("textarea").focus();
  form.querySelector("[data-more]").hidden = numbers.length + 1 >= Number(rows.dataset.most);
  showWho();
}

if (form) {
  form.querySelector("[data-more]").addEventListener("click", (event) => {
    event.preventDefault();
    addRow();
  });
  form.addEventListener("input", showCount);
  form.addEventListener("change", (event) => {
    const ask = event.target.closest("[data-ask]");
    if (ask) showWhereItGoes(ask);
    if (event.target.matches("[data-pairing]")) showWho();
  });
  for (const ask of form.querySelectorAll("[data-ask]")) showWhereItGoes(ask);
  showWho();
  showCount();
  if ("offline" in document.body.dataset) setNow();
  workOffline(form);
}
