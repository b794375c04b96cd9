/* The chat widget: a button and a panel on every page. One file, no dependencies, nothing from another host.
   It knows the HTTP contract (POST api/ask, POST api/feedback) and nothing else of the site. Data reaches the page through
   textContent only. Configure it on its own script tag: <script src="assets/ask.js" data-endpoint="https://bot.example.com/api/">. */
(function () {
  "use strict";
  if (document.getElementById("ask-widget")) return; // a theme that replaces pages in place may run scripts again

  // Knobs, one default a line.
  const script = document.currentScript;
  const root = new URL("../", script ? script.src : document.baseURI); // this file lies in assets/
  const set = (name, otherwise) => (script && script.dataset[name]) || otherwise;
  const endpoint = new URL(set("endpoint", "api").replace(/\/*$/, "/"), root);
  const title = set("title", "Ask the handbook");
  const placeholder = set("placeholder", "Can Ingress carry UDP?");
  const starters = set("starters", "Do I need a load balancer if I have Ingress?|Why is EXTERNAL-IP pending?|Is Ingress deprecated?").split("|");
  const longest = 1000; // characters of a question
  const kept = 6; // exchanges that are remembered while the tab is open
  const patience = 20000; // milliseconds until a bot that does not answer counts as away
  const store = "ask " + root.pathname; // two sites on one host keep their conversations apart
  const narrow = matchMedia("(max-width: 30em)"); // the panel takes the whole screen; ask.css has the same number

  // Words.
  const say = {
    open: "Ask",
    close: "Close",
    send: "Send",
    fresh: "New conversation",
    answers: "Answers",
    waiting: "Looking it up …",
    hello: "Answers come from this handbook’s own words, with a link to the place. Nothing is made up.",
    unsure: "Not sure",
    declined: "Not in the handbook",
    nearest: "Nearest sections",
    sources: "Read on",
    next: "Ask next",
    code: "Code",
    table: "Table",
    copy: "Copy",
    copied: "Copied",
    uncopied: "Not allowed",
    helpful: "Did this help?",
    yes: "Yes",
    no: "No",
    thanks: "Thank you, noted.",
    unnoted: "That could not be noted.",
    away: "The assistant is away at the moment.",
    search: "Search the site instead",
    long: "A question has at most 1,000 characters: ask the core of it.",
  };

  // Elements.
  const make = (tag, attributes, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
  };
  const button = (name, onclick, text) => make("button", { type: "button", class: name, onclick: onclick }, text);
  const input = make("textarea", { id: "ask-input", rows: "2", placeholder: placeholder, "aria-label": title, enterkeyhint: "send", onkeydown: onEnter });
  const log = make("div", { class: "ask-log", role: "log", "aria-label": say.answers, tabindex: "0", onclick: onFollow });
  const launcher = make("button", { class: "ask-button", type: "button", "aria-haspopup": "dialog", "aria-label": title, onclick: open }, say.open);
  const shut = make("button", { type: "button", class: "ask-plain", "aria-label": say.close, onclick: () => panel.close("closed") }, "✕");
  const panel = make(
    "dialog",
    { class: "ask-panel", "aria-label": title, onkeydown: onKey, onclose: onClose },
    make("div", { class: "ask-head" }, make("strong", {}, title), button("ask-plain", forget, say.fresh), shut),
    log,
    make("form", { class: "ask-form", onsubmit: onSubmit }, input, make("button", { type: "submit" }, say.send))
  );

  // Conversation. What the tab remembers: the last exchanges, and whether the panel stood open.
  let { exchanges, opened } = recall();
  let running = null; // AbortController of the question on its way

  function recall() {
    try {
      const { exchanges, opened } = JSON.parse(sessionStorage.getItem(store));
      return { exchanges: exchanges.filter((exchange) => exchange.question && exchange.answer.citations), opened: opened };
    } catch {
      return { exchanges: [], opened: false }; // nothing is stored, or storage is off
    }
  }

  function remember() {
    exchanges = exchanges.slice(-kept);
    try {
      sessionStorage.setItem(store, JSON.stringify({ exchanges: exchanges, opened: opened }));
    } catch {
      // Storage is off or full: the conversation lives as long as the page.
    }
  }

  function forget() {
    drop();
    exchanges = [];
    remember();
    greet();
    input.focus();
  }

  function drop() {
    if (running) running.abort();
    running = null;
  }

  // Requests.
  function post(path, body, signal) {
    const headers = { "Content-Type": "application/json", Accept: "application/json" };
    return fetch(new URL(path, endpoint), { method: "POST", headers: headers, body: JSON.stringify(body), signal: signal });
  }

  async function ask(question) {
    drop(); // a newer question drops the older one
    const mine = (running = new AbortController());
    const late = setTimeout(() => mine.abort(), patience);
    const entry = start(question);
    const parts = await answered(question, mine).catch(() => away(question));
    clearTimeout(late);
    if (running !== mine) return entry.parentElement.remove();
    running = null;
    finish(entry, parts);
  }

  async function answered(question, mine) {
    const history = exchanges.map((exchange) => ({ question: exchange.question }));
    const page = location.pathname.slice(root.pathname.length - 1).slice(0, 300);
    const response = await post("ask", { question: question, history: history, page: page }, mine.signal);
    const answer = await response.json();
    if (response.status >= 400 && response.status < 500 && answer.detail) return [make("p", {}, answer.detail)];
    if (!response.ok) throw new Error(String(response.status));
    const exchange = { question: question, answer: answer };
    const parts = told(exchange);
    if (running === mine) {
      exchanges.push(exchange);
      remember();
    }
    return parts;
  }

  async function rate(exchange, helpful, row) {
    const response = await post("feedback", { id: exchange.answer.id, helpful: helpful }).catch(() => null);
    exchange.rated = Boolean(response && response.ok);
    remember();
    row.replaceChildren(exchange.rated ? say.thanks : say.unnoted);
    row.focus(); // the button that had it is gone
  }

  // What is shown.
  function greet() {
    log.replaceChildren(make("div", { class: "ask-hello" }, make("p", {}, say.hello), ...questions(starters)));
  }

  function retell() {
    if (!exchanges.length) return greet();
    for (const exchange of exchanges) finish(start(exchange.question), told(exchange));
  }

  function start(question) {
    if (log.querySelector(".ask-hello")) log.replaceChildren();
    const entry = make("div", { class: "ask-answer", "aria-busy": "true" }, make("p", {}, say.waiting));
    const asked = make("p", { class: "ask-question" }, question);
    log.append(make("div", { class: "ask-exchange", role: "group", "aria-label": question.slice(0, 100), tabindex: "-1" }, asked, entry));
    show(entry);
    return entry;
  }

  function finish(entry, parts) {
    entry.replaceChildren(...parts);
    entry.removeAttribute("aria-busy");
    show(entry);
  }

  function show(entry) {
    log.scrollTop = entry.parentElement.offsetTop - log.offsetTop;
  }

  function told(exchange) {
    const answer = exchange.answer;
    const status = answer.status === "answered" ? [] : [make("p", { class: "ask-label" }, say[answer.status])];
    const declined = answer.status === "declined";
    const next = declined ? [] : answer.suggestions.slice(0, 2);
    return [
      ...status,
      ...rendered(answer.answer),
      ...labeled(declined ? say.nearest : say.sources, answer.citations.length ? [sources(answer.citations)] : []),
      ...labeled(say.next, questions(next)),
      ...(exchange.rated ? [] : [rating(exchange)]),
    ];
  }

  function labeled(label, elements) {
    return elements.length ? [make("p", { class: "ask-label" }, label), ...elements] : [];
  }

  function sources(citations) {
    return make("ol", { class: "ask-sources" }, ...citations.map((citation) => make("li", { title: citation.quote }, link(citation.url, [citation.title]))));
  }

  function questions(texts) {
    const pick = (text) => {
      ask(text);
      log.lastElementChild.focus({ preventScroll: true }); // the next Tab reaches the answer's first link
    };
    return texts.map((text) => button("ask-suggestion", () => pick(text), text));
  }

  function rating(exchange) {
    const row = make("p", { class: "ask-rate", tabindex: "-1" }, say.helpful, " ");
    row.append(button("ask-plain", () => rate(exchange, true, row), say.yes), " ", button("ask-plain", () => rate(exchange, false, row), say.no));
    return row;
  }

  function away(question) {
    const search = new URL(root);
    search.searchParams.set("q", question);
    // With a target the theme loads the page anew, and only then does its search read the address.
    return [make("p", {}, say.away, " ", make("a", { href: search.href, target: "_self" }, say.search), ".")];
  }

  function link(address, children) {
    // A path under the site's root, an anchor or a web address; anything else is text.
    if (/^\/(?!\/)/.test(address)) address = new URL(address.slice(1), root).href;
    else if (!/^(?:https?:\/\/|#)/.test(address)) return make("span", {}, ...children);
    return make("a", { href: address }, ...children);
  }

  // Markdown as the bot writes it: paragraphs, lists, code fences, tables; bold, italic, code and links inside.
  function rendered(markdown) {
    const elements = [];
    const lines = markdown.split("\n");
    const starts = /^(?:`{3,}|\||\s*[-*] )/;
    for (let at = 0; at < lines.length; ) {
      const fence = /^`{3,}/.exec(lines[at]);
      let end = at + 1;
      const run = (goes) => {
        while (end < lines.length && goes(lines[end])) end += 1;
        return lines.slice(at, end);
      };
      if (fence) elements.push(code(run((line) => !line.startsWith(fence[0])).slice(1).join("\n"))), (end += 1);
      else if (lines[at].startsWith("|")) elements.push(table(run((line) => line.startsWith("|"))));
      else if (starts.test(lines[at])) elements.push(list(run((line) => /^\s*[-*] |^\s+\S/.test(line))));
      else if (lines[at].trim()) elements.push(paragraph(run((line) => line.trim() && !starts.test(line)).join(" ")));
      at = end;
    }
    return elements;
  }

  function paragraph(text) {
    const heading = /^\*\*[^*]+\*\*$/.test(text); // of a second section
    return make("p", heading ? { class: "ask-also" } : {}, ...inline(text));
  }

  function code(text) {
    const box = make("div", { class: "ask-code" }, make("pre", { tabindex: "0", role: "group", "aria-label": say.code }, make("code", {}, text)));
    const named = (words) => () => (copy.textContent = words);
    const copy = button("ask-plain ask-copy", () => navigator.clipboard.writeText(text).then(named(say.copied), named(say.uncopied)), say.copy);
    if (navigator.clipboard) box.append(copy); // browsers have it for https and localhost
    return box;
  }

  function table(lines) {
    const [head, ...rows] = lines.filter((line) => !/^[|\s:-]+$/.test(line)).map((line) => line.trim().replace(/^\||\|$/g, "").split(/(?<!\\)\|/));
    const cells = (row, tag) => make("tr", {}, ...row.map((cell) => make(tag, {}, ...inline(cell.trim().replaceAll("\\|", "|")))));
    const body = make("tbody", {}, ...rows.map((row) => cells(row, "td")));
    const whole = make("table", {}, make("thead", {}, cells(head, "th")), body);
    return make("div", { class: "ask-table", tabindex: "0", role: "group", "aria-label": say.table }, whole);
  }

  function list(lines) {
    const items = [];
    for (const line of lines) {
      if (/^\s*[-*] /.test(line)) items.push(line.replace(/^\s*[-*] /, ""));
      else items[items.length - 1] += " " + line.trim();
    }
    return make("ul", {}, ...items.map((item) => make("li", {}, ...inline(item))));
  }

  function inline(text) {
    const nodes = [];
    const marks = /\\([^\w\s])|(`+)(.+?)\2(?!`)|\*\*(.+?)\*\*|\[((?:[^\][]|\[[^\]]*\])+)\]\(([^)\s]+)[^)]*\)|\*([^*\s][^*]*)\*/g;
    let end = 0;
    for (const mark of text.matchAll(marks)) {
      const [whole, escaped, , source, strong, label, address, emphasis] = mark;
      nodes.push(text.slice(end, mark.index));
      if (escaped) nodes.push(escaped);
      else if (source) nodes.push(make("code", {}, source.trim()));
      else if (strong) nodes.push(make("strong", {}, ...inline(strong)));
      else if (label) nodes.push(link(address, inline(label)));
      else nodes.push(make("em", {}, ...inline(emphasis)));
      end = mark.index + whole.length;
    }
    return [...nodes, text.slice(end)];
  }

  // Events.
  function open() {
    present();
    input.focus();
  }

  function present() {
    launcher.hidden = true;
    if (narrow.matches) panel.showModal(); // the page behind it is out of reach, for the keyboard too
    else panel.show();
    opened = true;
    remember();
    if (log.lastElementChild?.matches(".ask-exchange")) show(log.lastElementChild.lastElementChild);
  }

  function onClose() {
    if (panel.open) return; // it was only turned from one kind into the other
    launcher.hidden = false;
    opened = false;
    remember();
    if (panel.returnValue === "closed") launcher.focus();
  }

  function onTurn() {
    if (!panel.open) return;
    panel.close("turned");
    open();
  }

  function onFollow(event) {
    if (narrow.matches && event.target.closest("a[href]")) panel.close("followed"); // else the panel hides the place
  }

  function onSubmit(event) {
    event.preventDefault();
    const question = input.value.trim();
    log.querySelectorAll(".ask-notice").forEach((notice) => notice.remove());
    if (Array.from(question).length > longest) {
      log.append(make("p", { class: "ask-notice" }, say.long));
      log.scrollTop = log.scrollHeight;
    } else if (question) {
      input.value = "";
      ask(question);
    }
  }

  function onEnter(event) {
    if (event.key === "Enter" && !event.shiftKey && !composes(event)) onSubmit(event);
  }

  function onKey(event) {
    event.stopPropagation(); // the theme's shortcuts (s, f, /, n, p) are for readers, not for writers
    if (event.key === "Escape" && !composes(event)) panel.close("closed");
  }

  function composes(event) {
    return event.isComposing || event.keyCode === 229; // Enter and Escape that end an East Asian word
  }

  function mount() {
    retell();
    document.body.append(make("div", { id: "ask-widget" }, launcher, panel));
    narrow.addEventListener("change", onTurn);
    if (!opened || narrow.matches) return;
    launcher.hidden = true;
    panel.setAttribute("open", ""); // as show(), but the focus stays with the page
    show(log.lastElementChild.lastElementChild);
  }

  if (document.body) mount();
  else document.addEventListener("DOMContentLoaded", mount);
})();
