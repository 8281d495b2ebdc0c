// What makes the pages quicker to use. Every page works without it; nothing here decides
// anything: what applies, what is computed and what is doubtful is asked of the server.

const WAIT = 250;

// The error summary takes the focus, as it is what the person has to read first.
function lead() {
  const summary = document.querySelector(".govuk-error-summary");
  if (!summary) return;
  summary.tabIndex = -1;
  summary.focus();
}

// A link of the summary goes to the control, and opens what folds it away.
function follow(link) {
  link.addEventListener("click", (click) => {
    const control = document.getElementById(decodeURIComponent(link.hash.slice(1)));
    if (!control) return;
    for (let fold = control.closest("details"); fold; fold = fold.parentElement.closest("details")) {
      fold.open = true;
    }
    click.preventDefault();
    control.scrollIntoView({ block: "center" });
    control.focus();
  });
}

// A visual analogue scale gets a slider beside its box. It stands at nothing until it is moved.
function slide(box) {
  const slider = document.createElement("input");
  slider.type = "range";
  slider.min = 0;
  slider.max = 100;
  slider.className = "ec-slider ec-slider--unset";
  slider.setAttribute("aria-label", box.labels.length ? box.labels[0].textContent.trim() : box.name);
  const copy = () => {
    const set = /^\d+$/.test(box.value);
    slider.classList.toggle("ec-slider--unset", !set);
    if (set) slider.value = box.value;
  };
  slider.addEventListener("input", () => {
    box.value = slider.value;
    slider.classList.remove("ec-slider--unset");
    box.dispatchEvent(new Event("input", { bubbles: true }));
  });
  slider.addEventListener("change", () => box.dispatchEvent(new Event("change", { bubbles: true })));
  box.addEventListener("input", copy);
  box.after(slider);
  copy();
}

// In a date box t is today, v the day of the visit, -1 yesterday; the day itself is written out.
function shorten(form) {
  form.addEventListener("change", (change) => {
    const box = change.target;
    if (!box.matches("[data-date]")) return;
    const typed = box.value.trim().toLowerCase();
    if (typed === "v" && form.dataset.visit) box.value = form.dataset.visit;
    if (typed !== "t" && !/^-\d{1,2}$/.test(typed)) return;
    const day = new Date(`${form.dataset.today}T00:00:00Z`);
    day.setUTCDate(day.getUTCDate() + (typed === "t" ? 0 : Number(typed)));
    box.value = day.toISOString().slice(0, 10);
  });
}

// What stands in the inputs of a form, without its files: those are sent by the save alone.
function typed(form) {
  const data = new FormData(form);
  form.querySelectorAll("input[type=file]").forEach((file) => data.delete(file.name));
  return data;
}

// Asks the server what the inputs as they stand would do, and shows it.
function preview(form) {
  let timer = 0;
  let asked = 0;
  const ask = async () => {
    const turn = ++asked;
    try {
      const answer = await fetch(form.dataset.preview, { method: "POST", body: typed(form) });
      if (answer.ok) document.dispatchEvent(new Event("ec-contact"));
      if (answer.ok && turn === asked) tell(form, await answer.json());
    } catch {
      // Without a connection the page stays as it is: saving will tell.
    }
  };
  form.addEventListener("change", (change) => {
    if (change.isComposing || change.target.type === "password") return;
    clearTimeout(timer);
    timer = setTimeout(ask, WAIT);
  });
}

function tell(form, told) {
  for (const [key, text] of Object.entries(told.derived)) {
    const output = document.getElementById(key);
    if (output) output.textContent = text || "–";
  }
  for (const place of form.querySelectorAll("[data-canonical]")) {
    const value = told.canonical[place.dataset.canonical];
    place.textContent = value ? `= ${value}` : "";
  }
  for (const place of form.querySelectorAll("[data-item]")) {
    const applies = told.applies[place.dataset.item];
    if (applies === undefined) continue;
    place.classList.toggle("ec-away", !applies);
    if (place.tagName === "DETAILS" && applies) place.open = true;
  }
  for (const place of form.querySelectorAll("[data-was]")) {
    place.textContent = told.was[place.dataset.was] ?? "";
  }
  const progress = document.querySelector("[data-progress]");
  if (progress) progress.textContent = told.progress;
  for (const place of form.querySelectorAll("[data-findings]")) {
    show(place, told.findings[place.dataset.findings] ?? []);
  }
}

// Only what changed is written, so that a screen reader does not read the same thing twice.
function show(place, findings) {
  const said = [...place.children].map((line) => line.dataset.said ?? line.textContent.slice(1).trim());
  if (said.join("\n") === findings.join("\n")) return;
  place.replaceChildren(...findings.map((text) => {
    const line = document.createElement("span");
    line.className = "ec-finding";
    line.dataset.said = text;
    line.textContent = `▲ ${text}`;
    return line;
  }));
}

// The button that sets the untouched rows of a grid does so at once, without a round trip.
function fill(button) {
  button.addEventListener("click", (click) => {
    const table = document.getElementById(button.value);
    const values = JSON.parse(button.dataset.fill ?? "{}");
    if (!table || !Object.keys(values).length) return;
    click.preventDefault();
    let last = null;
    for (const row of table.tBodies[0].rows) {
      const controls = [...row.querySelectorAll("select, input")];
      const named = controls.filter((control) => control.name.split(".")[1] in values);
      if (named.some((control) => control.value !== "")) continue;
      for (const control of named.filter((each) => each.name.split(".").length === 2)) {
        control.value = values[control.name.split(".")[1]];
        last = control;
      }
    }
    if (last) {
      last.dispatchEvent(new Event("input", { bubbles: true }));
      last.dispatchEvent(new Event("change", { bubbles: true }));
    }
  });
}

// Enter in a box does not send the form: too many half-filled forms were sent that way.
function hold(form) {
  form.addEventListener("keydown", (key) => {
    if (key.key === "Enter" && key.target.matches("input[type=text]")) key.preventDefault();
  });
}

// A clock counts on from what the server drew, each minute.
function tick(clock) {
  const fill = (text, parts) => text.replace(/\{(\w+)\}/g, (_, name) => parts[name]);
  const said = clock.querySelector("[data-said]");
  const count = () => {
    const left = new Date(clock.dataset.clock) - Date.now();
    const minutes = Math.floor(Math.abs(left) / 60000);
    const hours = Math.floor(minutes / 60);
    const time = minutes >= 2880
      ? fill(clock.dataset.days, { d: Math.floor(hours / 24), h: hours % 24 })
      : fill(clock.dataset.hours, { h: hours, m: minutes % 60 });
    said.textContent = fill(left < 0 ? clock.dataset.late : clock.dataset.left, { time });
    clock.classList.toggle("ec-status--overdue", left < 0);
    clock.classList.toggle("ec-status--warning", left >= 0);
  };
  setInterval(count, 60000);
}

document.querySelectorAll("[data-clock]").forEach(tick);
document.querySelectorAll("form[data-guard]").forEach((form) => {
  hold(form);
  shorten(form);
});
document.querySelectorAll("form[data-preview]").forEach(preview);
document.querySelectorAll("input[data-vas]").forEach(slide);
document.querySelectorAll("button[data-fill]").forEach(fill);
document.querySelectorAll(".govuk-error-summary a[href^='#']").forEach(follow);
lead();
