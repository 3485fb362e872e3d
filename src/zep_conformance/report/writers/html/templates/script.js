"use strict";
(() => {
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const one = (id) => document.getElementById(id);
  const made = (name, text = "", kind = "") => {
    const element = document.createElement(name);
    element.textContent = text;
    if (kind) element.className = kind;
    return element;
  };

  // What the page carries is unpacked when it is first asked for, once.
  const unpacked = {};
  const unpack = (id) => (unpacked[id] ??= (async () => {
    const bytes = Uint8Array.from(atob(one(id).textContent), (char) => char.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return JSON.parse(await new Response(stream).text());
  })());
  let pieces = null;
  const failed = () => {
    one("matches").textContent = "This browser can’t unpack what unfolds: conformance.json beside this file has it.";
  };

  const addCopying = (within) => {
    for (const command of all(".command", within)) {
      if (command.querySelector("button")) continue;
      const button = made("button", "Copy");
      button.type = "button";
      const what = command.querySelector("pre");
      button.setAttribute("aria-label", `Copy the ${what.getAttribute("aria-label")}`);
      button.addEventListener("click", async () => {
        try {
          await navigator.clipboard.writeText(what.textContent);
          button.textContent = "Copied";
        } catch {
          getSelection().selectAllChildren(what);
        }
      });
      command.append(button);
    }
  };

  const fill = (holder) => {
    // Made by the same templates as the rest of the page, which escape whatever a server has said.
    holder.innerHTML = pieces[holder.dataset.part];
    delete holder.dataset.part;
    addCopying(holder);
  };
  const fillIn = async (details) => {
    const wanted = all("[data-part]", details).filter((holder) => holder.closest("details") === details);
    if (!wanted.length) return;
    pieces ??= await unpack("packed");
    wanted.filter((holder) => "part" in holder.dataset).forEach(fill);
  };

  // The scenarios of a requirement.
  const scenarioRow = (listed, number) => {
    const item = made("li");
    const outcome = listed.outcomes[listed.outcome[number]];
    const [path, line] = listed.place[number];
    const why = listed.why[number] < 0 ? "" : listed.texts[listed.why[number]];
    const place = listed.texts[path] + (line && `:${line}`);
    item.append(made("span", outcome, `chip ${outcome.replace(" ", "-")}`), ` ${listed.name[number]} `);
    item.append(made("small", `${place}${place && ", "}${listed.ms[number]} ms${why && ` — ${why}`}`));
    return item;
  };
  const numbersOf = (row) => row.dataset.scenarios.split(" ").filter(Boolean).map(Number);
  const list = async (row) => {
    const listed = await unpack("listed");
    row.querySelector(".scenarios")?.remove();
    const numbers = row.matching ?? numbersOf(row);
    if (!numbers.length) return;
    const items = made("ul", "", "scenarios");
    items.append(...numbers.map((number) => scenarioRow(listed, number)));
    row.querySelector(".body").append(items);
  };

  const unfolded = (details) => {
    const work = details.matches(".row") ? list(details) : fillIn(details);
    return work.catch(failed);
  };
  document.addEventListener("toggle", (event) => {
    if (event.target.open) unfolded(event.target);
  }, true);

  const reveal = () => {
    const found = location.hash.length > 1 && one(decodeURIComponent(location.hash.slice(1)));
    if (found && found.matches("details")) {
      found.open = true;
      found.scrollIntoView();
      found.querySelector("summary").focus({ preventScroll: true });
    }
  };
  addEventListener("hashchange", reveal);

  // The search: everything that has the words, of the outcome that is chosen.
  let index = null;
  const indexed = async () => {
    const listed = await unpack("listed");
    const evidence = (await unpack("packed")).map((piece) => piece.replace(/<[^>]*>/g, " ").toLowerCase());
    const names = listed.name.map((name, number) =>
      `${name} ${listed.why[number] < 0 ? "" : listed.texts[listed.why[number]]}`.toLowerCase());
    const plain = (text) => text.replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&#39;/g, "'").replace(/&#34;/g, '"').replace(/&amp;/g, "&");
    const causes = all(".cause").map((cause) => {
      const parts = [cause, ...all("[data-part]", cause)].map((holder) => evidence[holder.dataset.part] ?? "");
      return { element: cause, text: `${cause.textContent} `.toLowerCase() + plain(parts.join(" ")) };
    });
    const rows = all(".row").map((row) => ({
      element: row, text: row.textContent.toLowerCase(), numbers: numbersOf(row),
    }));
    return { causes, rows, names, listed };
  };
  const words = (text) => text.toLowerCase().split(/\s+/).filter(Boolean);
  const counted = (count, what) => `${count} ${what}${count === 1 ? "" : "s"}`;
  const search = async () => {
    index ??= indexed();
    const { causes, rows, names, listed } = await index;
    const wanted = words(one("query").value);
    const outcome = one("outcome").value;
    const has = (text) => wanted.every((word) => text.includes(word));
    const isAsked = wanted.length > 0 || outcome !== "";
    let [shownCauses, shownRows] = [0, 0];
    const scenarios = new Set();
    for (const { element, text } of causes) {
      element.hidden = !(has(text) && (!outcome || element.dataset.outcome === outcome));
      shownCauses += !element.hidden;
    }
    for (const { element, text, numbers } of rows) {
      const fitting = numbers.filter((number) => !outcome || listed.outcomes[listed.outcome[number]] === outcome);
      const named = fitting.filter((number) => has(names[number]));
      const whole = has(text) && (!outcome || fitting.length > 0);
      element.matching = isAsked ? (named.length ? named : fitting) : undefined;
      element.parentElement.hidden = isAsked && !whole && !named.length;
      if (element.parentElement.hidden) continue;
      shownRows += 1;
      element.matching?.forEach((number) => scenarios.add(number));
      if (element.open) await list(element);
    }
    for (const chapter of all(".chapter")) {
      chapter.hidden = !chapter.querySelector(".rows > li:not([hidden])");
    }
    one("matches").textContent = !isAsked ? "" : [
      counted(shownRows, "requirement"), counted(scenarios.size, "scenario"), counted(shownCauses, "cause"),
    ].join(", ");
  };
  let waiting = 0;
  const soon = () => {
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(() => search().catch(failed));
  };
  one("query").addEventListener("input", soon);
  one("outcome").addEventListener("change", soon);
  one("find").addEventListener("submit", (event) => event.preventDefault());

  one("unfold")?.addEventListener("click", (event) => {
    const open = event.currentTarget.getAttribute("aria-pressed") !== "true";
    event.currentTarget.setAttribute("aria-pressed", String(open));
    event.currentTarget.textContent = open ? "Fold failures" : "Unfold failures";
    all("#failures ~ .cause").forEach((cause) => { cause.open = open; });
  });

  // On paper nothing can be unfolded: the style shows what is folded, and all of it has to be there by then.
  addEventListener("beforeprint", () => {
    while (pieces && document.querySelector(".cause [data-part]")) all(".cause [data-part]").forEach(fill);
  });
  const whenIdle = self.requestIdleCallback ?? ((work) => setTimeout(work, 200));

  one("find").hidden = false;
  addCopying(document);
  all("details[open]").forEach(unfolded);
  reveal();
  whenIdle(() => unpack("packed").then((found) => { pieces ??= found; }).catch(failed));
})();
