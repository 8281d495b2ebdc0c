// What keeps typing safe and hands on the keyboard: drafts, the way out, keys, the session.
// The server decides everything; without this file forms are saved by their buttons as always.

const TYPING = 1200;
const WARNING = 120;
const TOGETHER = 800;

// What stands in the inputs of a form, without its files: those are sent by the save alone.
function typed(form) {
  const data = new FormData(form);
  form.querySelectorAll("input[type=file]").forEach((file) => data.delete(file.name));
  return data;
}

function input(form, name, value) {
  let hidden = form.querySelector(`input[type=hidden][name="${name}"]`);
  if (!hidden) {
    hidden = document.createElement("input");
    hidden.type = "hidden";
    hidden.name = name;
    form.append(hidden);
  }
  hidden.value = value;
}

// A form whose inputs are kept on the server while they change, and that says it is open.
class Draft {
  constructor(form) {
    this.form = form;
    this.touched = "touched" in form.dataset || form.querySelector(".govuk-error-message, .ec-reason") !== null;
    this.behind = false;
    this.sent = false;
    this.timer = 0;
    this.asked = new AbortController();
    this.told = form.querySelector("[data-kept]");
    form.addEventListener("input", (typed) => {
      this.touched = true;
      if (!typed.isComposing) this.soon();
    });
    form.addEventListener("compositionend", () => this.soon());
    form.addEventListener("submit", () => this.done());
    window.addEventListener("beforeunload", (leaving) => {
      if (this.touched) leaving.preventDefault();
    });
    window.addEventListener("pagehide", () => {
      if (!this.sent) navigator.sendBeacon(this.path(this.behind ? "keep" : "leave"), typed(form));
    });
    this.post("open");
    setInterval(() => { if (!document.hidden) this.post("there"); }, Number(form.dataset.every) * 1000);
  }

  path(what) { return `${this.form.dataset.draft}?do=${what}`; }

  soon() {
    this.behind = true;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.post("keep"), TYPING);
  }

  done() {
    this.touched = false;
    this.sent = true;
    clearTimeout(this.timer);
    this.asked.abort();
  }

  async post(what) {
    if (what === "keep") this.behind = false;
    try {
      const answer = await fetch(this.path(what), {
        method: "POST", body: typed(this.form), signal: this.asked.signal,
      });
      if (answer.status === 401) this.tell(this.told.dataset.ended);
      else if (!answer.ok) this.lost(what);
      else this.heard(await answer.json());
    } catch {
      if (!this.sent) this.lost(what);
    }
  }

  heard(answer) {
    if (!answer.kept) return;
    input(this.form, "kept_draft", "1");
    this.tell(this.told.dataset.kept.replace("{time}", answer.kept));
    document.dispatchEvent(new Event("ec-contact"));
  }

  lost(what) {
    if (what !== "keep") return;
    this.behind = true;
    this.tell(this.told.dataset.lost);
  }

  tell(text) { this.told.textContent = text; }

  async discard() {
    this.done();
    await fetch(this.path("discard"), { method: "POST", body: typed(this.form), redirect: "manual" });
  }

  save(going) {
    input(this.form, "going", going);
    const buttons = [...this.form.querySelectorAll(".ec-actions [name=act]")];
    this.form.requestSubmit(buttons.find((button) => button.value === "draft") ?? buttons[0]);
  }
}

// A link that leads away from something typed asks first: save, discard or stay.
function guard(draft) {
  const dialog = document.getElementById("ec-guard");
  let going = "";
  document.addEventListener("click", (click) => {
    const link = click.target.closest("a[href]");
    if (!link || !draft.touched || click.defaultPrevented || click.button || click.ctrlKey || click.metaKey || click.shiftKey) return;
    const to = new URL(link.href);
    if (to.origin !== location.origin || (to.pathname === location.pathname && to.hash)) return;
    click.preventDefault();
    going = to.pathname + to.search;
    if ("drop" in link.dataset) draft.discard().then(() => location.assign(going));
    else dialog.showModal();
  });
  dialog.addEventListener("click", async (click) => {
    const wanted = click.target.dataset.do;
    if (!wanted) return;
    dialog.close();
    if (wanted === "save") draft.save(going);
    if (wanted === "discard") {
      await draft.discard();
      location.assign(going);
    }
  });
  document.querySelector(".ec-kept form")?.addEventListener("submit", () => draft.done());
}

// The history of an item opens above the form; without a connection its page does.
function history(link, dialog) {
  link.addEventListener("click", async (click) => {
    if (click.ctrlKey || click.metaKey || click.shiftKey) return;
    click.preventDefault();
    try {
      const answer = await fetch(`${link.href}&part=1`);
      if (!answer.ok) throw new Error(answer.statusText);
      dialog.querySelector("[data-body]").innerHTML = await answer.text();
      dialog.dataset.link = link.href;
      dialog.showModal();
    } catch {
      location.assign(link.href);
    }
  });
}

function buttons(dialog) {
  dialog.addEventListener("click", async (click) => {
    const button = click.target.closest("[data-do]");
    if (button?.dataset.do === "stay") dialog.close();
    if (button?.dataset.do === "copy") {
      await navigator.clipboard.writeText(dialog.dataset.link);
      button.textContent = button.dataset.copied;
    }
  });
}

// The keys can be switched off on this computer, for those whose software speaks in letters.
const keys = {
  get on() { return localStorage.getItem("ec-keys") !== "off"; },
  set on(wanted) { localStorage.setItem("ec-keys", wanted ? "on" : "off"); },
};

function press(form) {
  const near = (selector) => (document.activeElement.closest("[data-item], .ec-item, tr") ?? form).querySelector(selector)?.click();
  const acts = {
    KeyS: () => form.querySelector(".ec-actions [name=act]")?.click(),
    KeyN: () => form.querySelector("[data-next]")?.click(),
    KeyQ: () => near(".ec-flag, [data-ask]"),
    KeyH: () => near("[data-history]"),
  };
  document.addEventListener("keydown", (key) => {
    if (!keys.on || key.ctrlKey || key.metaKey || key.isComposing) return;
    if (key.altKey && acts[key.code]) {
      key.preventDefault();
      acts[key.code]();
    }
  });
}

function list(dialog) {
  const box = dialog.querySelector("#ec-keys-on");
  box.checked = keys.on;
  box.addEventListener("change", () => { keys.on = box.checked; });
  document.addEventListener("keydown", (key) => {
    if (key.key !== "?" || !keys.on || key.target.matches("input[type=text], textarea, select")) return;
    key.preventDefault();
    dialog.showModal();
  });
}

// In a group of radio buttons the letters of a code choose it: Y, N, 2.
function code(form) {
  let typed = "";
  let at = 0;
  form.addEventListener("keydown", (key) => {
    if (!key.target.matches("input[type=radio]") || key.key.length !== 1 || key.key === " ") return;
    if (key.altKey || key.ctrlKey || key.metaKey || !keys.on) return;
    typed = key.timeStamp - at < TOGETHER ? typed + key.key : key.key;
    at = key.timeStamp;
    const group = [...form.querySelectorAll(`input[type=radio][name="${CSS.escape(key.target.name)}"]`)];
    const fits = (radio) => radio.value && radio.value.toUpperCase().startsWith(typed.toUpperCase());
    const found = group.find((radio) => radio.value.toUpperCase() === typed.toUpperCase()) ?? group.find(fits);
    if (!found) return;
    key.preventDefault();
    found.focus();
    found.click();
  });
}

// The arrows walk the grid of participants from cell to cell.
function walk(matrix) {
  const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  matrix.addEventListener("keydown", (key) => {
    const step = steps[key.key];
    const cell = key.target.closest("th, td");
    if (!step || !cell || key.altKey) return;
    let [row, column] = [cell.parentElement.rowIndex + step[0], cell.cellIndex + step[1]];
    for (; matrix.rows[row]?.cells[column]; row += step[0], column += step[1]) {
      const link = matrix.rows[row].cells[column].querySelector("a");
      if (!link) continue;
      key.preventDefault();
      link.focus();
      return;
    }
  });
}

// Two minutes before the session ends the page says so; one key keeps it.
function session(dialog) {
  let heard = Date.now();
  const stay = () => { heard = Date.now(); };
  document.addEventListener("ec-contact", stay);
  setInterval(() => {
    const quiet = (Date.now() - heard) / 1000;
    if (quiet > Number(dialog.dataset.left) - WARNING && !dialog.open) dialog.showModal();
  }, 5000);
  const extend = async () => {
    const answer = await fetch("/still-here");
    if (answer.ok) stay();
    else location.reload();
  };
  dialog.addEventListener("close", extend);
  dialog.querySelector("[data-do=extend]").addEventListener("click", () => dialog.close());
}

document.querySelectorAll("form[data-draft]").forEach((form) => {
  guard(new Draft(form));
  press(form);
  code(form);
});
const above = document.getElementById("ec-history");
if (above) document.querySelectorAll("a[data-history]").forEach((link) => history(link, above));
document.querySelectorAll("#ec-history, #ec-keys").forEach(buttons);
document.querySelectorAll("#ec-keys").forEach(list);
document.querySelectorAll("#ec-session").forEach(session);
document.querySelectorAll(".ec-matrix").forEach(walk);
