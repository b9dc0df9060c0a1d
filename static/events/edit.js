// Rows of groups without a trip to the server, and small proposals that can be overwritten.
// Without this script the same buttons send the form, and the server adds or takes away the row.

const form = document.getElementById("event");
const rows = form?.querySelector("[data-rows]");

function renumber(row, index) {
  for (const element of row.querySelectorAll("[name], [id], [for], [aria-describedby]")) {
    for (const attribute of ["name", "id", "for", "aria-describedby"]) {
      const value = element.getAttribute(attribute);
      if (value) element.setAttribute(attribute, value.replace(/groups-\d+-/g, `groups-${index}-`));
    }
  }
  const remove = row.querySelector("[data-remove-row]");
  if (remove) remove.value = String(index);
}

function empty(row) {
  for (const input of row.querySelectorAll("input")) {
    if (input.type === "checkbox") input.checked = false;
    else input.value = "";
    input.removeAttribute("aria-invalid");
  }
  for (const hint of row.querySelectorAll(".o-hint-bad")) hint.remove();
}

function nextNumber() {
  const used = [...rows.querySelectorAll("[data-remove-row]")].map((button) => Number(button.value));
  return Math.max(-1, ...used) + 1;
}

form?.addEventListener("click", (event) => {
  const add = event.target.closest("[data-add-row]");
  const remove = event.target.closest("[data-remove-row]");
  const last = rows.querySelector("[data-row]:last-child");
  if (add && last) {
    event.preventDefault();
    const row = last.cloneNode(true);
    renumber(row, nextNumber());
    empty(row);
    rows.append(row);
    row.querySelector("input:not([type=hidden])")?.focus();
  } else if (remove) {
    event.preventDefault();
    const row = remove.closest("[data-row]");
    if (rows.children.length > 1) row.remove();
    else empty(row);
    form.dispatchEvent(new Event("input", { bubbles: true }));
  }
});

// An issue number for the programme, until somebody types one.
const programme = form?.querySelector("#programme_id");
const issue = form?.querySelector("#issue");
let proposed = null;
programme?.addEventListener("change", () => {
  const known = form.querySelector(`[data-issues] [data-programme="${programme.value}"]`);
  if (issue.value && issue.value !== proposed) return;
  proposed = known ? known.dataset.issue : "";
  issue.value = proposed;
});

// An evening takes two hours, until somebody says otherwise.
const starts = form?.querySelector("#starts_at");
const ends = form?.querySelector("#ends_at");
let end = null;
starts?.addEventListener("change", () => {
  if (!starts.value || (ends.value && ends.value !== end)) return;
  const [day, time] = starts.value.split("T");
  const [hours, minutes] = time.split(":").map(Number);
  const there = new Date(Date.UTC(...day.split("-").map((part, at) => Number(part) - (at === 1 ? 1 : 0)), hours + 2, minutes));
  end = there.toISOString().slice(0, 16);
  ends.value = end;
});
