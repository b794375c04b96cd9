/* The chat widget: a button and a panel on every page. One file, no dependencies, nothing from another host.
   It knows the HTTP contract (POST api/ask, POST api/feedback) and nothing else of the site. Data reaches the page through
   textContent only. Configure it on its own script tag: <script src="assets/ask.js" data-endpoint="https://bot.example.com/">. */
(function () {
  "use strict";
  if (document.getElementById("ask")) return; // instant navigation may run scripts again

  // Knobs, one default a line.
  const script = document.currentScript;
  const root = new URL("../", script ? script.src : document.baseURI); // this file lies in assets/
  const set = (name, otherwise) => (script && script.dataset[name]) || otherwise;
  const endpoint = new URL(set("endpoint", "api/"), root);
  const title = set("title", "Ask the handbook");
  const placeholder = set("placeholder", "Can Ingress carry UDP?");
  const starters = set("starters", "Do I need a load balancer if I have Ingress?|Why is EXTERNAL-IP pending?|Is Ingress deprecated?").split("|");
  const longest = 1000; // characters of a question
  const kept = 6; // exchanges that are remembered while the tab is open

  // Words.
  const say = {
    open: "Ask",
    close: "Close",
    send: "Send",
    fresh: "New conversation",
    waiting: "Looking it up …",
    hello: "Answers come from this handbook’s own words, with a link to the place. Nothing is made up.",
    unsure: "Not sure",
    declined: "Not in the handbook",
    nearest: "Nearest sections",
    sources: "Read on",
    helpful: "Did this help?",
    yes: "Yes",
    no: "No",
    thanks: "Thank you, noted.",
    away: "The assistant is away at the moment.",
    search: "Search the site instead",
    long: "A question has at most 1,000 characters: ask the core of it.",
  };

  // Elements.
  const make = (tag, attributes, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else if (value !== false) element.setAttribute(name, value === true ? "" : value);
    }
    element.append(...children.filter((child) => child !== null && child !== undefined));
    return element;
  };
  const input = make("textarea", { id: "ask-input", rows: "2", maxlength: String(longest), placeholder: placeholder, "aria-label": title, onkeydown: onKey });
  const log = make("div", { class: "ask-log", role: "log", "aria-live": "polite", "aria-label": "Answers", tabindex: "0" });
  const launcher = make("button", { class: "ask-button", type: "button", "aria-expanded": "false", "aria-controls": "ask-panel", onclick: open }, say.open);
  const panel = make(
    "div",
    { class: "ask-panel", id: "ask-panel", role: "dialog", "aria-label": title, hidden: true, onkeydown: onEscape },
    make(
      "div",
      { class: "ask-head" },
      make("strong", {}, title),
      make("button", { type: "button", class: "ask-plain", onclick: forget }, say.fresh),
      make("button", { type: "button", class: "ask-plain", "aria-label": say.close, onclick: close }, "✕")
    ),
    log,
    make("form", { class: "ask-form", onsubmit: onSubmit }, input, make("button", { type: "submit" }, say.send))
  );
  const host = make("div", { id: "ask" }, launcher, panel);

  // Conversation.
  let exchanges = recall();
  let running = null; // AbortController of the question on its way

  function recall() {
    try {
      return JSON.parse(sessionStorage.getItem("ask") || "[]").slice(-kept);
    } catch {
      return [];
    }
  }

  function remember() {
    try {
      sessionStorage.setItem("ask", JSON.stringify(exchanges.slice(-kept)));
    } catch {
      /* storage is off: the conversation lives as long as the page */
    }
  }

  function forget() {
    if (running) running.abort();
    exchanges = [];
    remember();
    greet();
    input.focus();
  }

  // Request.
  async function ask(question) {
    if (question.length > longest) return notice(say.long);
    if (running) running.abort(); // a newer question drops the older one
    const mine = (running = new AbortController());
    const entry = start(question);
    const body = {
      question: question,
      history: exchanges.slice(-kept).map((exchange) => ({ question: exchange.question })),
      page: location.pathname.slice(root.pathname.length - 1, 300 + root.pathname.length - 1),
    };
    try {
      const response = await fetch(new URL("ask", endpoint), {
        method: "POST",
        headers: { "Content-Type": "application/json", Accept: "application/json" },
        body: JSON.stringify(body),
        signal: mine.signal,
      });
      const answer = await response.json();
      if (response.ok) {
        exchanges.push({ question: question, answer: answer });
        remember();
        entry.replaceChildren(...told(answer));
      } else if (response.status < 500 && answer.detail) {
        entry.replaceChildren(make("p", {}, answer.detail));
      } else {
        throw new Error(String(response.status));
      }
    } catch (error) {
      if (error.name === "AbortError") entry.parentElement.remove();
      else entry.replaceChildren(...away(question));
    }
    if (running === mine) running = null;
    entry.removeAttribute("aria-busy");
    show(entry);
  }

  async function rate(answer, helpful, row) {
    row.replaceChildren(say.thanks);
    try {
      await fetch(new URL("feedback", endpoint), {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ id: answer.id, helpful: helpful }),
      });
    } catch {
      row.replaceChildren(say.away);
    }
  }

  // What is shown.
  function start(question) {
    if (log.querySelector(".ask-hello")) log.replaceChildren();
    const entry = make("div", { class: "ask-answer", "aria-busy": "true" }, make("p", { class: "ask-wait" }, say.waiting));
    log.append(make("div", { class: "ask-exchange" }, make("p", { class: "ask-question" }, question), entry));
    show(entry);
    return entry;
  }

  function show(entry) {
    if (!entry.parentElement) return;
    log.scrollTop = entry.parentElement.offsetTop - log.offsetTop;
  }

  function notice(text) {
    log.append(make("p", { class: "ask-notice" }, text));
    log.scrollTop = log.scrollHeight;
  }

  function greet() {
    const buttons = starters.map((text) => make("button", { type: "button", class: "ask-suggestion", onclick: () => ask(text) }, text));
    log.replaceChildren(make("div", { class: "ask-hello" }, make("p", {}, say.hello), ...buttons));
  }

  function away(question) {
    const search = new URL(root);
    search.searchParams.set("q", question);
    return [make("p", {}, say.away), make("p", {}, make("a", { href: search.href }, say.search))];
  }

  function told(answer) {
    const parts = [];
    if (answer.status !== "answered") parts.push(make("p", { class: "ask-status" }, say[answer.status]));
    parts.push(...rendered(answer.answer));
    if (answer.citations.length) {
      const links = answer.citations.map((citation) => make("li", {}, make("a", { href: address(citation.url), title: citation.quote }, citation.title)));
      parts.push(make("p", { class: "ask-label" }, answer.status === "declined" ? say.nearest : say.sources), make("ol", { class: "ask-sources" }, ...links));
    }
    if (answer.status !== "declined") {
      for (const text of answer.suggestions.slice(0, 2)) parts.push(make("button", { type: "button", class: "ask-suggestion", onclick: () => ask(text) }, text));
    }
    const row = make("p", { class: "ask-rate" }, say.helpful + " ");
    row.append(make("button", { type: "button", class: "ask-plain", onclick: () => rate(answer, true, row) }, say.yes));
    row.append(make("button", { type: "button", class: "ask-plain", onclick: () => rate(answer, false, row) }, say.no));
    return [...parts, row];
  }

  function address(link) {
    // A path under the site's root, or a web address; anything else leads nowhere.
    if (link.startsWith("/") && !link.startsWith("//")) return new URL(link.slice(1), root).href;
    return /^https?:\/\//.test(link) || link.startsWith("#") ? link : "#";
  }

  // Markdown as the bot writes it: paragraphs, lists, code fences, tables; bold, italic, code and links inside.
  function rendered(markdown) {
    const elements = [];
    const lines = markdown.split("\n");
    for (let at = 0; at < lines.length; ) {
      const line = lines[at];
      const fence = /^(`{3,})/.exec(line);
      const taken = fence ? until(lines, at + 1, (text) => text.startsWith(fence[1])) : line.startsWith("|") ? until(lines, at, (text) => !text.startsWith("|")) : at;
      if (fence) {
        elements.push(code(lines.slice(at + 1, taken).join("\n")));
        at = taken + 1;
      } else if (line.startsWith("|")) {
        elements.push(table(lines.slice(at, taken)));
        at = taken;
      } else if (/^\s*[-*] /.test(line)) {
        const end = until(lines, at, (text) => !/^\s*[-*] |^ {2,}\S/.test(text));
        const items = lines.slice(at, end).map((text) => make("li", {}, ...inline(text.replace(/^\s*(?:[-*] )?/, ""))));
        elements.push(make("ul", {}, ...items));
        at = end;
      } else {
        const end = until(lines, at, (text) => !text.trim() || /^(?:`{3,}|\||\s*[-*] )/.test(text));
        if (end > at) elements.push(make("p", {}, ...inline(lines.slice(at, end).join(" "))));
        at = Math.max(end, at + 1);
      }
    }
    return elements;
  }

  function until(lines, from, stops) {
    let at = from;
    while (at < lines.length && !stops(lines[at])) at += 1;
    return at;
  }

  function code(text) {
    const copy = make("button", { type: "button", class: "ask-plain ask-copy", onclick: () => navigator.clipboard.writeText(text) }, "Copy");
    return make("div", { class: "ask-code" }, make("pre", { tabindex: "0" }, make("code", {}, text)), copy);
  }

  function table(lines) {
    const rows = lines.filter((line) => !/^[|\s:-]+$/.test(line)).map((line) => line.replace(/^\||\|$/g, "").split(/(?<!\\)\|/));
    const cells = (row, tag) => make("tr", {}, ...row.map((cell) => make(tag, {}, ...inline(cell.trim()))));
    return make("div", { class: "ask-table", tabindex: "0" }, make("table", {}, ...rows.map((row, number) => cells(row, number ? "td" : "th"))));
  }

  function inline(text) {
    const nodes = [];
    const marks = /(`+)(.+?)\1|\*\*(.+?)\*\*|\[((?:[^\][]|\[[^\]]*\])+)\]\(([^)\s]+)[^)]*\)|\*([^*\s][^*]*)\*/g;
    let end = 0;
    for (const mark of text.matchAll(marks)) {
      nodes.push(text.slice(end, mark.index));
      if (mark[2]) nodes.push(make("code", {}, mark[2]));
      else if (mark[3]) nodes.push(make("strong", {}, ...inline(mark[3])));
      else if (mark[4]) nodes.push(make("a", { href: address(mark[5]) }, ...inline(mark[4])));
      else nodes.push(make("em", {}, mark[6]));
      end = mark.index + mark[0].length;
    }
    return [...nodes, text.slice(end)].filter((node) => node !== "");
  }

  // Events.
  function open() {
    panel.hidden = false;
    launcher.hidden = true;
    launcher.setAttribute("aria-expanded", "true");
    if (!log.childElementCount) {
      if (exchanges.length) exchanges.forEach((exchange) => start(exchange.question).replaceChildren(...told(exchange.answer)));
      else greet();
      log.querySelectorAll("[aria-busy]").forEach((entry) => entry.removeAttribute("aria-busy"));
    }
    input.focus();
  }

  function close() {
    panel.hidden = true;
    launcher.hidden = false;
    launcher.setAttribute("aria-expanded", "false");
    launcher.focus();
  }

  function onSubmit(event) {
    event.preventDefault();
    const question = input.value.trim();
    if (!question) return;
    input.value = "";
    ask(question);
  }

  function onKey(event) {
    event.stopPropagation(); // the theme's shortcuts (s, f, /, n, p) are for readers, not for writers
    if (event.key === "Escape") return onEscape(event);
    const composing = event.isComposing || event.keyCode === 229; // Enter that ends an East Asian word
    if (event.key === "Enter" && !event.shiftKey && !composing) onSubmit(event);
  }

  function onEscape(event) {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    close();
  }

  function mount() {
    document.body.append(host);
  }

  if (document.body) mount();
  else document.addEventListener("DOMContentLoaded", mount);
})();
