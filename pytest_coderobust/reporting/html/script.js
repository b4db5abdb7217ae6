"use strict";
(function () {
  // Text from models and data sets enters the page through textContent alone.
  const PAGE = 200;
  const STATUS = { s: "solved", r: "robust", b: "broken", u: "unsolved", k: "skipped", x: "unusable" };
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  const ui = {
    suite: byId("f-suite"), text: byId("f-text"), level: byId("f-level"), cell: byId("f-cell"),
    status: byId("f-status"), list: byId("list"), more: byId("more"), count: byId("count"), detail: byId("detail"),
  };
  const blocks = new Map();
  let found = [];
  let shown = 0;

  function make(tag, className, text) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  }

  // As a shell reads one word: an id may hold a quote and what a shell would run.
  function quoted(text) { return "'" + text.replaceAll("'", "'\"'\"'") + "'"; }

  function options(select, values, all) {
    select.replaceChildren();
    if (all) select.append(new Option(all, ""));
    for (const [value, text] of values) select.append(new Option(text, value));
  }

  function suite() { return data.suites[Number(ui.suite.value)]; }

  function fillSuite() {
    const chosen = suite();
    const levels = new Set(), names = new Set();
    for (const [, name, level] of chosen.cells) { names.add(name); if (level) levels.add(level); }
    options(ui.level, [...levels].map((name) => [name, name]), "every level");
    options(ui.cell, [...names].map((name) => [name, name]), "every perturbation");
  }

  function statuses() {
    return new Set([...ui.status.querySelectorAll("input:checked")].map((box) => box.value));
  }

  function search() {
    const chosen = suite(), wanted = statuses(), text = ui.text.value.trim().toLowerCase();
    const rows = [];
    chosen.tasks.forEach((task, row) => { if (!text || task.toLowerCase().includes(text)) rows.push(row); });
    found = [];
    chosen.cells.forEach(([, name, level], column) => {
      if (ui.cell.value && ui.cell.value !== name) return;
      if (ui.level.value && ui.level.value !== level) return;
      const letters = chosen.grid[column];
      for (const row of rows) if (wanted.has(letters[row])) found.push([column, row]);
    });
    shown = 0;
    ui.list.replaceChildren();
    const total = chosen.grid.reduce((sum, column) => sum + column.length - (column.split("-").length - 1), 0);
    ui.count.textContent = found.length + " of " + total + " items";
    showMore();
  }

  function showMore() {
    const chosen = suite(), next = found.slice(shown, shown + PAGE);
    const fragment = document.createDocumentFragment();
    next.forEach(([column, row], offset) => {
      const item = make("button", "item");
      const status = STATUS[chosen.grid[column][row]];
      item.type = "button";
      item.dataset.index = String(shown + offset);
      item.append(make("span", "id", chosen.tasks[row] + " [" + chosen.cells[column][0] + "]"));
      item.append(make("span", "status " + status, status));
      const line = make("li");
      line.append(item);
      fragment.append(line);
    });
    ui.list.append(fragment);
    shown += next.length;
    ui.more.hidden = shown >= found.length;
  }

  function blockOf(number) {
    if (!blocks.has(number)) blocks.set(number, JSON.parse(byId("block-" + number).textContent));
    return blocks.get(number);
  }

  function diff(clean, changes) {
    const pre = make("pre", "diff");
    let end = 0;
    for (const [start, stop, text] of changes) {
      pre.append(clean.slice(end, start));
      if (stop > start) pre.append(make("del", "", clean.slice(start, stop)));
      if (text) pre.append(make("ins", "", text));
      end = stop;
    }
    pre.append(clean.slice(end));
    return pre;
  }

  function samples(title, list, more) {
    const parts = [];
    list.forEach(([text, verdict, leftOut], index) => {
      parts.push(make("h4", "", list.length > 1 ? title + " " + (index + 1) : title));
      parts.push(make("pre", "completion", text || "(empty)"));
      if (leftOut) parts.push(make("p", "hint", "Left out of the solution that was judged:"), make("pre", "left-out", leftOut));
      parts.push(make("p", verdict ? "verdict bad" : "verdict", verdict || "passes every test"));
    });
    if (more > 0) parts.push(make("p", "hint", more + " more samples are in the ledger."));
    return parts;
  }

  // An item has an address: the suite's place and the test's name, as pytest writes it.
  function addressOf(column, row) {
    const chosen = suite();
    return "#item=" + ui.suite.value + "/" + encodeURIComponent(chosen.tasks[row] + "[" + chosen.cells[column][0] + "]");
  }

  function readAddress() {
    const match = /^#item=([0-9]+)\/(.+)$/.exec(location.hash);
    if (!match) return;
    let name = match[2];
    try { name = decodeURIComponent(name); } catch { /* it names no item then */ }
    const chosen = data.suites[Number(match[1])];
    for (const [column, [label]] of (chosen ? chosen.cells : []).entries()) {
      if (!name.endsWith("[" + label + "]")) continue;
      const row = chosen.tasks.indexOf(name.slice(0, name.length - label.length - 2));
      if (row >= 0) { visitItem(match[1], column, row); return; }
    }
    ui.detail.replaceChildren(make("p", "hint", "This page has no item " + name.slice(0, 200)));
    reveal();
  }

  // The list shows the item too, where its filters can: they are opened as far as it needs.
  function visitItem(place, column, row) {
    ui.suite.value = place;
    fillSuite();
    ui.text.value = "";
    const box = ui.status.querySelector('input[value="' + suite().grid[column][row] + '"]');
    if (box) box.checked = true;
    search();
    const index = found.findIndex(([c, r]) => c === column && r === row);
    if (index >= 0 && index < 10 * PAGE) {
      while (shown <= index) showMore();
      ui.list.querySelector('[data-index="' + index + '"]').scrollIntoView({ block: "center" });
    }
    open(column, row, true);
  }

  function reveal() {
    ui.detail.focus({ preventScroll: true });
    ui.detail.scrollIntoView({ block: "start" });
  }

  function copyText(text, done) {
    const byHand = () => {
      const field = make("textarea", "", text);
      ui.detail.append(field);
      field.select();
      const copied = document.execCommand("copy");
      field.remove();
      done(copied);
    };
    if (navigator.clipboard) navigator.clipboard.writeText(text).then(() => done(true), byHand);
    else byHand();
  }

  function share(address) {
    const line = make("p", "share"), link = make("a", "", "Link to this item");
    const button = make("button", "copy", "Copy link"), told = make("span", "copied");
    link.href = address;
    button.type = "button";
    told.setAttribute("role", "status");
    button.addEventListener("click", () => copyText(link.href, (copied) => {
      told.textContent = copied ? "Copied." : "The browser did not allow it: copy the link beside.";
    }));
    line.append(link, button, told);
    return line;
  }

  function open(column, row, focus) {
    const chosen = suite(), index = found.findIndex(([c, r]) => c === column && r === row);
    const letter = chosen.grid[column][row], [label] = chosen.cells[column], task = chosen.tasks[row];
    for (const item of ui.list.querySelectorAll("[aria-current]")) item.removeAttribute("aria-current");
    const item = ui.list.querySelector('[data-index="' + index + '"]');
    if (item) item.setAttribute("aria-current", "true");
    const title = make("h3", "", task + " [" + label + "] ");
    title.append(make("span", "status " + STATUS[letter], STATUS[letter]));
    const address = addressOf(column, row);
    const parts = [title, share(address)];
    const why = chosen.why[column + "," + row];
    if (why) parts.push(make("p", "reason", why));
    if (chosen.passes && chosen.passes[column][row] >= 0)
      parts.push(make("p", "", chosen.passes[column][row] + " of " + chosen.n + " samples pass"));
    const number = chosen.chunk[row];
    const held = number < 0 ? undefined : blockOf(number)[row];
    const evidence = held && held.v[column];
    if (evidence) {
      parts.push(make("h4", "", evidence.d ? "What changed in the prompt" : "Prompt"));
      parts.push(diff(held.p, evidence.d || []));
      parts.push(...samples("Completion", evidence.s, evidence.m));
      if (evidence.c && evidence.c.length) parts.push(...samples("Completion of the clean prompt", evidence.c, 0));
    } else if (!why) {
      parts.push(make("p", "hint", "The texts of this item are not in this page, which holds as much as a browser bears; the ledger has them."));
    }
    const [reference, words, calls, isQuoted] = chosen.reproduce;
    if (reference) {
      const name = "::" + task + "[" + label + "]";
      const test = isQuoted ? reference + quoted(name) : quoted(reference + name);
      parts.push(make("h4", "", calls ? "Reproduce in Python" : "Reproduce"));
      parts.push(make("pre", "", calls ? "from pytest_coderobust import run\n" + calls[column] : "pytest " + test + " " + words + " --coderobust-strict --coderobust-no-gates"));
    }
    ui.detail.replaceChildren(...parts);
    // Some viewers forbid pages a history; the item is open all the same.
    try { history.replaceState(null, "", address); } catch { /* the link still has the address */ }
    if (focus) reveal();
  }

  function moved(event) {
    const items = [...ui.list.querySelectorAll(".item")], at = items.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (to === undefined || at < 0) return;
    event.preventDefault();
    if (to >= items.length && !ui.more.hidden) { showMore(); moved(event); return; }
    const item = items[Math.max(0, Math.min(items.length - 1, to))];
    item.focus();
  }

  function tiles() {
    for (const tile of document.querySelectorAll(".tile, .pick")) tile.addEventListener("click", () => {
      ui.suite.value = tile.dataset.suite;
      fillSuite();
      if (tile.dataset.perturbation !== undefined) ui.cell.value = tile.dataset.perturbation;
      else if ([...ui.level.options].some((option) => option.value === tile.dataset.pool)) ui.level.value = tile.dataset.pool;
      search();
      byId("browser").scrollIntoView();
      ui.text.focus({ preventScroll: true });
    });
  }

  function start() {
    options(ui.suite, data.suites.map((each, index) => [String(index), each.name]));
    if (!data.suites.length) return;
    for (const [letter, name] of Object.entries(STATUS)) {
      const label = make("label"), box = make("input");
      box.type = "checkbox";
      box.value = letter;
      box.defaultChecked = box.checked = letter === "b";
      label.append(box, name);
      ui.status.append(label);
    }
    fillSuite();
    if (!data.suites.some((each) => each.grid.some((column) => column.includes("b"))))
      for (const box of ui.status.querySelectorAll("input")) box.defaultChecked = box.checked = true;
    byId("filters").addEventListener("input", (event) => { if (event.target === ui.suite) fillSuite(); search(); });
    byId("filters").addEventListener("reset", () => setTimeout(() => { fillSuite(); search(); }));
    byId("filters").addEventListener("submit", (event) => event.preventDefault());
    ui.more.addEventListener("click", showMore);
    ui.list.addEventListener("keydown", moved);
    ui.list.addEventListener("click", (event) => {
      const item = event.target.closest(".item");
      if (item) open(...found[Number(item.dataset.index)], true);
    });
    tiles();
    search();
    window.addEventListener("hashchange", readAddress);
    readAddress();
    document.documentElement.dataset.ready = "true";
  }

  start();
})();
