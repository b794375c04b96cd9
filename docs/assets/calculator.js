/* The cost calculator of calculator.md: services, ports, traffic and a platform go in, monthly figures and a plot come out.
   The prices stand in the page, in the table whose first column is "Key": there is no other copy. The formulas are in "platforms" here
   and in words in the page. It asks no server, and data reaches the page through textContent only. */
(function () {
  "use strict";
  if (window.portsideCalculator) return; // instant navigation may run scripts again

  // Constants of the formulas; the page explains each.
  const hoursPerMonth = 730; // 8,760 hours a year, by 12
  const gbPerGib = 1.073741824; // Google Cloud charges by GiB
  const sharedPorts = 2; // a shared HTTP entry listens on 80 and 443
  const flatRules = 5; // rules that one price covers on Google Cloud and Azure
  const listenersPerNlb = 50; // quota
  const rulesPerAlb = 100; // default quota, can be raised

  // Fields: id, words, default, limits. "for" names the platforms that ask for it.
  const fields = [
    { id: "services", text: "Services", usual: 10, least: 1, most: 10000, whole: true },
    { id: "ports", text: "Ports per service", usual: 1, least: 1, most: 100, whole: true },
    { id: "traffic", text: "Traffic of all services, GB a month", usual: 500, least: 0, most: 10000000 },
    { id: "zones", text: "Zones, each with an address per load balancer", usual: 3, least: 1, most: 6, whole: true, for: ["aws-nlb", "aws-alb"] },
  ];
  const dearest = 10000; // upper limit of a unit price
  const choices = [
    { id: "sharing", text: "How are they exposed?", usual: "each", answers: [["each", "One entry for each service"], ["shared", "One shared entry"]] },
    { id: "ipv4", text: "Public IPv4 addresses?", usual: "yes", answers: [["yes", "Yes, count them"], ["no", "No: internal, or IPv6 only"]] },
  ];

  // Platforms: words, the keys of their prices, and the items of a month. x has services, ports, traffic (GB), zones, ipv4 (0 or 1), and price(key).
  const rules = (x, first, further, count) => [
    ["fixed", `price of the first ${flatRules} rules`, count ? 1 : 0, x.price(first) * hoursPerMonth],
    ["fixed", "further rules", Math.max(0, count - flatRules), x.price(further) * hoursPerMonth],
  ];
  const awsBalancers = (x, count, capacity) => [
    ["fixed", "load balancers", count, x.price("aws-lb-hour") * hoursPerMonth],
    ["fixed", "public IPv4 addresses", count * x.zones * x.ipv4, x.price("aws-ipv4-hour") * hoursPerMonth],
    ["usage", "GB, one capacity unit each", x.traffic, x.price(capacity)],
  ];
  const platforms = {
    "aws-nlb": {
      text: "AWS, Network Load Balancer",
      each: (x) => awsBalancers(x, x.services * Math.ceil(x.ports / listenersPerNlb), "aws-nlcu-hour"),
      shared: (x) => awsBalancers(x, Math.ceil((x.services * x.ports) / listenersPerNlb), "aws-nlcu-hour"),
      prices: ["aws-lb-hour", "aws-nlcu-hour", "aws-ipv4-hour"],
      says: "One each: a LoadBalancer Service per service. Shared: one Gateway of the class for NLBs, with a listener per port.",
    },
    "aws-alb": {
      text: "AWS, Application Load Balancer",
      each: (x) => awsBalancers(x, x.services * Math.ceil(x.ports / rulesPerAlb), "aws-lcu-hour"),
      shared: (x) => awsBalancers(x, Math.ceil((x.services * x.ports) / rulesPerAlb), "aws-lcu-hour"),
      prices: ["aws-lb-hour", "aws-lcu-hour", "aws-ipv4-hour"],
      says: "One each: an ALB per Ingress. Shared: one IngressGroup or Gateway, with a rule per port of each service.",
    },
    gcp: {
      text: "Google Cloud",
      each: (x) => [...rules(x, "gcp-first-rules-hour", "gcp-rule-hour", x.services), ["usage", "GiB", x.traffic / gbPerGib, x.price("gcp-gib")]],
      shared: (x) => [...rules(x, "gcp-first-rules-hour", "gcp-rule-hour", sharedPorts), ["usage", "GiB", x.traffic / gbPerGib, x.price("gcp-gib")]],
      prices: ["gcp-first-rules-hour", "gcp-rule-hour", "gcp-gib"],
      says: "One each: a forwarding rule per Service, whatever its ports. Shared: one HTTP load balancer with two rules.",
    },
    azure: {
      text: "Azure",
      each: (x) => azureItems(x, x.services * x.ports, x.services),
      shared: (x) => azureItems(x, sharedPorts, 1),
      prices: ["azure-first-rules-hour", "azure-rule-hour", "azure-gb", "azure-ipv4-month"],
      says: "One each: a rule per port and an address per Service, all on one load balancer. Shared: one entry with two rules and one address.",
    },
    digitalocean: {
      text: "DigitalOcean",
      each: (x) => [["fixed", "load balancers of one node", x.services, x.price("do-node-month")]],
      shared: (x) => [["fixed", "load balancers of one node", 1, x.price("do-node-month")]],
      prices: ["do-node-month"],
      says: "One each: a load balancer of one node per Service. Shared: one of them before a proxy in the cluster.",
    },
    metal: {
      text: "Own servers (MetalLB, kube-vip, Cilium)",
      each: (x) => [["fixed", "addresses", x.services * x.ipv4, x.price("own-ipv4-month")]],
      shared: (x) => [["fixed", "addresses", x.ipv4, x.price("own-ipv4-month")]],
      prices: ["own-ipv4-month"],
      says: "No load balancer has a price; what your provider takes for an address is yours to fill in.",
    },
  };

  function azureItems(x, count, addresses) {
    return [
      ...rules(x, "azure-first-rules-hour", "azure-rule-hour", count),
      ["fixed", "public IPv4 addresses", addresses * x.ipv4, x.price("azure-ipv4-month")],
      ["usage", "GB", x.traffic, x.price("azure-gb")],
    ];
  }

  // A month: items (kind, words, amount, unit price, cost) and their sums.
  function month(platform, sharing, x) {
    const proxy = sharing === "shared" ? [["fixed", "proxy of the shared entry", 1, x.price("proxy-month")]] : [];
    const items = [...platforms[platform][sharing](x), ...proxy].map(([kind, text, amount, unit]) => ({ kind: kind, text: text, amount: amount, unit: unit, cost: amount * unit }));
    const sum = (kind) => items.filter((item) => item.kind === kind).reduce((total, item) => total + item.cost, 0);
    return { items: items, fixed: sum("fixed"), usage: sum("usage"), total: sum("fixed") + sum("usage") };
  }

  // Prices: the table of the page, {key: {text, value, status}}.
  function readPrices() {
    const found = {};
    for (const table of document.querySelectorAll("table")) {
      const head = table.querySelector("th");
      if (!head || head.textContent.trim() !== "Key") continue;
      for (const row of table.querySelectorAll("tbody tr")) {
        const [key, text, price, unit, status] = [...row.cells].map((cell) => cell.textContent.trim());
        found[key] = { text: `${text}, USD per ${unit}`, value: Number(price), status: status };
      }
    }
    return found;
  }

  // Words and numbers.
  const say = {
    wrong: "No figures yet: correct the marked fields.",
    broken: "The calculator found no prices in this page.",
    share: "The address of this page holds your numbers: copy it to share them.",
    reset: "Start over",
    plot: "How the total grows",
    table: "The plot as a table",
    others: "The same services on every platform",
    each: "One each",
    shared: "Shared",
  };
  const money = new Intl.NumberFormat("en-US", { style: "currency", currency: "USD" });
  const number = new Intl.NumberFormat("en-US", { maximumFractionDigits: 2 });
  const small = new Intl.NumberFormat("en-US", { style: "currency", currency: "USD", maximumFractionDigits: 4 });

  // A text into a number, or a sentence that says what is wrong.
  function read(text, field) {
    const clean = text.trim();
    if (!clean) return { error: "Enter a number." };
    if (!/^[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?$/.test(clean)) return { error: "Enter a number such as " + (field.whole ? "10." : "12.5.") };
    const value = Number(clean.replaceAll(",", ""));
    if (field.whole && !Number.isInteger(value)) return { error: "Enter a whole number." };
    if (value < field.least) return { error: `Enter ${number.format(field.least)} or more.` };
    if (value > field.most) return { error: `Enter ${number.format(field.most)} or less.` };
    return { value: value };
  }

  function make(tag, attributes, ...children) {
    return filled(document.createElement(tag), attributes, children);
  }

  function draw(tag, attributes, ...children) {
    return filled(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
  }

  function filled(element, attributes, children) {
    for (const [name, value] of Object.entries(attributes || {})) {
      if (value !== false && value !== undefined) element.setAttribute(name, value === true ? "" : value);
    }
    element.append(...children);
    return element;
  }

  // The form.
  function fieldset(text, ...inside) {
    return make("fieldset", {}, make("legend", {}, text), ...inside);
  }

  function radios(choice, chosen) {
    const options = choice.answers.map(([value, text]) =>
      make("label", { class: "tools-option" }, make("input", { type: "radio", name: choice.id, value: value, checked: chosen === value }), make("span", {}, text))
    );
    return fieldset(choice.text, ...options);
  }

  function numberField(field, value, hint) {
    const id = "calculator-field-" + field.id;
    const error = make("span", { class: "tools-error", id: id + "-error" });
    const described = hint ? `${id}-error ${id}-hint` : id + "-error";
    const input = make("input", { type: "text", inputmode: "decimal", autocomplete: "off", id: id, name: field.id, value: value, "aria-describedby": described });
    const mark = hint ? [make("span", { class: "tools-hint", id: id + "-hint" }, hint)] : [];
    return make("div", { class: "tools-number", "data-field": field.id }, make("label", { for: id }, field.text), input, ...mark, error);
  }

  function priceField(key, price) {
    return { id: "price-" + key, text: price.text, least: 0, most: dearest, key: key };
  }

  function build(prices) {
    const given = new URLSearchParams(location.search);
    const among = (choice) => (choice.answers.some(([value]) => value === given.get(choice.id)) ? given.get(choice.id) : choice.usual);
    const platform = platforms[given.get("platform")] ? given.get("platform") : "aws-nlb";
    const choice = { id: "platform", text: "Where do they run?", answers: Object.entries(platforms).map(([id, one]) => [id, one.text]) };
    const priceFields = Object.entries(prices).map(([key, price]) => priceField(key, price));
    const numbers = fields.map((field) => numberField(field, given.get(field.id) ?? field.usual));
    const units = priceFields.map((field) => numberField(field, given.get(field.id) ?? prices[field.key].value, prices[field.key].status));
    const form = make(
      "form",
      { class: "tools-form", "aria-label": "Numbers", novalidate: true },
      make("div", { class: "tools-fields" }, radios(choice, platform), fieldset("How much?", ...numbers), ...choices.map((one) => radios(one, among(one)))),
      fieldset("Prices of this platform: change what you know better", make("div", { class: "tools-prices" }, ...units)),
      make("button", { type: "reset", class: "tools-button" }, say.reset)
    );
    return { form: form, fields: [...fields, ...priceFields] };
  }

  // What the form says: the values, or the fields that are wrong. Fields that the platform does not ask for are hidden and not read.
  function gather(form, all, prices) {
    const data = new FormData(form);
    const platform = data.get("platform");
    const values = {};
    const wrong = [];
    for (const field of all) {
      const asked = field.key ? [...platforms[platform].prices, "proxy-month"].includes(field.key) : !field.for || field.for.includes(platform);
      const box = form.querySelector(`[data-field="${field.id}"]`);
      box.hidden = !asked;
      const told = asked ? read(data.get(field.id), field) : { value: field.key ? prices[field.key].value : field.usual };
      const input = box.querySelector("input");
      box.querySelector(".tools-error").textContent = told.error || "";
      if (told.error) wrong.push(`${field.text}: ${told.error}`);
      if (told.error) input.setAttribute("aria-invalid", "true");
      else input.removeAttribute("aria-invalid");
      values[field.id] = told.value;
    }
    const price = (key) => values["price-" + key];
    const x = { ...values, ipv4: data.get("ipv4") === "yes" ? 1 : 0, price: price };
    return { platform: platform, sharing: data.get("sharing"), x: x, wrong: wrong };
  }

  function toAddress(form, all, prices) {
    const address = new URL(location.href);
    const data = new FormData(form);
    const usual = Object.fromEntries(all.map((field) => [field.id, String(field.key ? prices[field.key].value : field.usual)]));
    for (const [name, value] of data) {
      if (value === usual[name]) address.searchParams.delete(name);
      else address.searchParams.set(name, value);
    }
    history.replaceState(history.state, "", address);
  }

  function forgetAddress(form) {
    const address = new URL(location.href);
    for (const [name] of new FormData(form)) address.searchParams.delete(name);
    history.replaceState(history.state, "", address);
  }

  // Figures.
  function table(label, head, rows) {
    const body = rows.map((row) => make("tr", {}, make("th", { scope: "row" }, row[0]), ...row.slice(1).map((cell) => make("td", {}, cell))));
    const top = make("thead", {}, make("tr", {}, ...head.map((text) => make("th", { scope: "col" }, text))));
    return make("div", { class: "tools-table", tabindex: "0", role: "region", "aria-label": label }, make("table", {}, make("caption", {}, label), top, make("tbody", {}, ...body)));
  }

  function figures(asked) {
    const months = { each: month(asked.platform, "each", asked.x), shared: month(asked.platform, "shared", asked.x) };
    const chosen = months[asked.sharing];
    const rows = [["Fixed", "fixed"], ["Usage", "usage"], ["Total", "total"]].map(([text, kind]) => [text, money.format(months.each[kind]), money.format(months.shared[kind])]);
    const items = chosen.items.filter((item) => item.cost).map((item) => make("li", {}, `${item.text}: ${number.format(item.amount)} × ${small.format(item.unit)} = ${money.format(item.cost)}`));
    const difference = months.each.total - months.shared.total;
    const verdict = Math.abs(difference) < 0.005 ? "Both cost the same." : difference > 0 ? `Sharing saves ${money.format(difference)} a month.` : `Sharing costs ${money.format(-difference)} a month more.`;
    return [
      make("h3", {}, `${money.format(chosen.total)} a month`),
      make("p", {}, `${platforms[asked.platform].text}, ${asked.sharing === "each" ? "one entry for each service" : "one shared entry"}. ${verdict}`),
      make("ul", { class: "tools-items" }, ...items),
      table("US dollars a month", ["Part", say.each, say.shared], rows),
      make("p", { class: "tools-hint" }, platforms[asked.platform].says),
    ];
  }

  function everywhere(asked) {
    const rows = Object.entries(platforms).map(([id, platform]) => [platform.text, money.format(month(id, "each", asked.x).total), money.format(month(id, "shared", asked.x).total)]);
    return make("details", {}, make("summary", {}, say.others), table("Total a month by platform", ["Platform", say.each, say.shared], rows));
  }

  // The plot: total over the number of services, one line for each way; the traffic grows with the services.
  const resultPadding = 20; // pixels on either side
  const plotSteps = 10;
  const edges = { height: 320, left: 64, right: 72, top: 18, bottom: 46 };
  const widths = { least: 270, most: 640 }; // drawn as wide as the place allows, so that its letters stay readable

  function points(asked) {
    const most = Math.max(10, 2 * asked.x.services);
    const counts = [...new Set(Array.from({ length: plotSteps + 1 }, (_, step) => Math.max(1, Math.round((most * step) / plotSteps))).concat(asked.x.services))].sort((one, two) => one - two);
    return counts.map((count) => {
      const x = { ...asked.x, services: count, traffic: (asked.x.traffic * count) / asked.x.services };
      return { count: count, each: month(asked.platform, "each", x).total, shared: month(asked.platform, "shared", x).total };
    });
  }

  function niceTop(value) {
    const power = 10 ** Math.floor(Math.log10(value || 1));
    return [1, 2, 2.5, 5, 10].map((step) => step * power).find((step) => step >= value) || 10 * power;
  }

  function plot(asked, place) {
    const size = { ...edges, width: Math.min(widths.most, Math.max(widths.least, place)) };
    const all = points(asked);
    const top = niceTop(Math.max(1, ...all.map((point) => Math.max(point.each, point.shared))));
    const last = all[all.length - 1];
    const across = (count) => size.left + ((size.width - size.left - size.right) * (count - 1)) / (last.count - 1);
    const up = (cost) => size.height - size.bottom - ((size.height - size.top - size.bottom) * cost) / top;
    const short = new Intl.NumberFormat("en-US", { style: "currency", currency: "USD", notation: "compact", maximumFractionDigits: 1 });
    const grid = [0, 0.25, 0.5, 0.75, 1].flatMap((part) => [
      draw("line", { class: "plot-grid", x1: size.left, x2: size.width - size.right, y1: up(part * top), y2: up(part * top) }),
      draw("text", { class: "plot-text", x: size.left - 8, y: up(part * top) + 4, "text-anchor": "end" }, short.format(part * top)),
    ]);
    const marks = [...new Set([1, asked.x.services, last.count])].map((count) => draw("text", { class: "plot-text", x: across(count), y: size.height - size.bottom + 18, "text-anchor": "middle" }, number.format(count)));
    const apart = Math.abs(up(last.each) - up(last.shared)) < 16 ? 8 : 0; // keeps the two labels from lying on each other
    const line = (way, shift) => {
      const path = all.map((point, at) => `${at ? "L" : "M"}${across(point.count).toFixed(1)} ${up(point[way]).toFixed(1)}`).join(" ");
      const here = all.find((point) => point.count === asked.x.services);
      return draw(
        "g",
        { class: "plot-" + way },
        draw("path", { d: path }),
        draw("circle", { cx: across(here.count), cy: up(here[way]), r: way === asked.sharing ? 6 : 4 }),
        draw("text", { x: size.width - size.right + 8, y: up(last[way]) + 4 + shift }, say[way])
      );
    };
    const eachAbove = last.each >= last.shared;
    const axis = draw("text", { class: "plot-text", x: (size.left + size.width - size.right) / 2, y: size.height - 8, "text-anchor": "middle" }, "Services");
    const drawing = draw(
      "svg",
      { viewBox: `0 0 ${size.width} ${size.height}`, width: size.width, height: size.height, role: "img", "aria-labelledby": "calculator-plot-title calculator-plot-text", class: "tools-plot" },
      draw("title", { id: "calculator-plot-title" }, "Total a month by number of services"),
      draw("desc", { id: "calculator-plot-text" }, described(asked, all)),
      ...grid,
      ...marks,
      axis,
      line("each", eachAbove ? -apart : apart),
      line("shared", eachAbove ? apart : -apart)
    );
    const rows = all.map((point) => [number.format(point.count), money.format(point.each), money.format(point.shared)]);
    return [
      make("h3", {}, say.plot),
      drawing,
      make("p", { class: "tools-hint" }, "Total in US dollars a month. Each service brings the same share of the traffic; the dots are your number of services."),
      make("details", {}, make("summary", {}, say.table), table("Total a month by number of services", ["Services", say.each, say.shared], rows)),
    ];
  }

  function described(asked, all) {
    const first = all[0];
    const last = all[all.length - 1];
    const told = (way, text) => `${text}: from ${money.format(first[way])} for ${number.format(first.count)} service to ${money.format(last[way])} for ${number.format(last.count)}.`;
    return `${platforms[asked.platform].text}. ${told("each", "One entry for each")} ${told("shared", "One shared entry")}`;
  }

  // The page.
  function mount() {
    const host = document.getElementById("calculator");
    if (!host || host.dataset.ready) return;
    host.dataset.ready = "yes";
    const prices = readPrices();
    const needed = [...Object.values(platforms).flatMap((platform) => platform.prices), "proxy-month"];
    if (!needed.every((key) => prices[key] && Number.isFinite(prices[key].value))) return host.replaceChildren(make("p", { class: "tools-error" }, say.broken));
    const built = build(prices);
    const status = make("p", { role: "status", "aria-live": "polite", class: "tools-status" });
    const result = make("section", { class: "tools-result", "aria-label": "Result" });

    const update = () => {
      const asked = gather(built.form, built.fields, prices);
      result.hidden = asked.wrong.length > 0;
      if (asked.wrong.length) {
        result.replaceChildren();
        status.textContent = `${say.wrong} ${asked.wrong.join(" ")}`;
        return;
      }
      const total = month(asked.platform, asked.sharing, asked.x).total;
      status.textContent = `Total: ${money.format(total)} a month.`;
      const open = [...result.querySelectorAll("details")].map((one) => one.open);
      result.replaceChildren(...figures(asked), ...plot(asked, host.clientWidth - 2 * resultPadding), everywhere(asked), make("p", {}, say.share));
      result.querySelectorAll("details").forEach((one, at) => (one.open = Boolean(open[at])));
    };
    const changed = () => {
      update();
      toAddress(built.form, built.fields, prices);
    };
    built.form.addEventListener("submit", (event) => event.preventDefault());
    built.form.addEventListener("input", changed);
    built.form.addEventListener("keydown", (event) => event.stopPropagation()); // the theme's shortcuts are for readers
    built.form.addEventListener("reset", (event) => {
      event.preventDefault();
      forgetAddress(built.form);
      host.dataset.ready = "";
      mount();
      host.querySelector("input").focus();
    });
    host.replaceChildren(built.form, status, result);
    update();
  }

  window.portsideCalculator = { platforms: platforms, fields: fields };
  if (window.document$ && window.document$.subscribe) window.document$.subscribe(mount); // Material: after every instant navigation
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", mount);
  else mount();
})();
