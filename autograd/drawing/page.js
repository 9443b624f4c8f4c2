// Steps through a drawn computation graph. Everything that comes from labels is set as text, never as markup.
"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const data = JSON.parse(byId("data").textContent);
  const svg = byId("graph");
  const world = byId("world");
  const lines = world.firstElementChild;
  const paths = [...lines.children];
  const groups = [...world.children].slice(1, 1 + data.nodes.length);
  const number = (x) => (typeof x === "string" ? { inf: Infinity, "-inf": -Infinity, nan: NaN }[x] : x);

  // ---- numbers as Python's "%.4g" writes them
  const text = (x) => {
    if (Number.isNaN(x)) return "nan";
    if (!Number.isFinite(x)) return x > 0 ? "inf" : "-inf";
    if (x === 0) return Object.is(x, -0) ? "-0" : "0";
    // halfway between two, Python takes the even one and toExponential the larger
    const [whole, size] = x.toExponential(100).split("e");
    const end = whole.indexOf(".") + data.precision;
    const even = /[02468]$/.test(whole.slice(0, end).replace(/\.$/, ""));
    const down = even && /^50*$/.test(whole.slice(end));
    const rounded = down ? Number(`${whole.slice(0, end)}e${size}`) : x;
    const [mantissa, power] = rounded.toExponential(data.precision - 1).split("e");
    const exponent = Number(power);
    const trim = (digits) => (digits.includes(".") ? digits.replace(/\.?0+$/, "") : digits);
    if (exponent < -4 || exponent >= data.precision) {
      return `${trim(mantissa)}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
    }
    return trim(rounded.toFixed(Math.max(0, data.precision - 1 - exponent)));
  };

  // ---- the graph
  const nodes = data.nodes.map((node) => ({ ...node, data: number(node.data), gradient: number(node.gradient) }));
  const arrows = data.arrows.map(([tail, head, partial, extent]) =>
    ({ tail, head, partial: number(partial), extent }));
  const into = nodes.map(() => []);
  const outOf = nodes.map(() => []);
  arrows.forEach((arrow, i) => { into[arrow.head].push(i); outOf[arrow.tail].push(i); });
  const operations = data.scalars ? nodes.flatMap((node, i) => (node.kind === "operation" ? [i] : [])) : [];
  const rank = new Map(operations.map((node, i) => [node, i + 1]));
  const half = operations.length;
  const last = 2 * half;
  const isComputed = (i, step) => !rank.has(i) || rank.get(i) <= step;
  const isSwept = (i, step) => rank.has(i) && step >= last + 1 - rank.get(i);
  const partOf = (arrow) => (arrow.partial === null ? 0 : arrow.partial);

  groups.forEach((group, i) => {
    group.classList.add("node");
    group.dataset.node = i;
    const texts = [...group.querySelectorAll(":scope > text")];
    nodes[i].texts = texts;
    if (!data.scalars && nodes[i].shade) group.classList.add(nodes[i].shade);
    if (data.scalars && nodes[i].kind !== "constant") {
      nodes[i].value = texts[texts.length - 3];
      nodes[i].sum = texts[texts.length - 1];
      nodes[i].value.classList.add("value");
      nodes[i].sum.classList.add("gradient");
    }
  });

  // ---- the sweep, up to a step: what each node's gradient has come to
  const sums = new Float64Array(nodes.length);
  const seeds = nodes.map((node) => number(node.seed));
  const outputs = nodes.filter((node, i) => node.kind !== "constant" && !outOf[i].length).length;
  const begins = (i) => seeds[i] !== 0; // also with nan
  const sweepTo = (step) => {
    sums.set(seeds);
    const flows = seeds.map((seed) => seed !== 0); // from elsewhere nothing does, not even 0 times infinity
    for (let k = half - 1; k >= 0 && isSwept(operations[k], step); k -= 1) {
      if (!flows[operations[k]]) continue;
      for (const i of into[operations[k]]) {
        sums[arrows[i].tail] += sums[operations[k]] * partOf(arrows[i]);
        flows[arrows[i].tail] = true;
      }
    }
  };
  const shade = (x) => {
    if (x === 0) return "";
    if (!Number.isFinite(x)) return "odd";
    const found = data.edges.findIndex((edge) => Math.abs(x) >= edge);
    return (x < 0 ? "n" : "p") + (found < 0 ? 1 : 4 - found);
  };

  // ---- showing a step
  let step = -1;
  const current = () => (step === 0 ? -1 : step <= half ? operations[step - 1] : operations[last - step]);
  const isReached = (i) => (begins(i) || !outOf[i].length ? step >= half
    : outOf[i].some((a) => isSwept(arrows[a].head, step)));
  const shown = nodes.map(() => "");
  const shownSums = nodes.map(() => "");
  const shownPaths = arrows.map(() => "");

  function show(wanted) {
    step = Math.max(0, Math.min(last, wanted));
    sweepTo(step);
    const now = current();
    const backwards = step > half;
    nodes.forEach((node, i) => {
      if (!data.scalars) return;
      const known = node.kind !== "constant" && isReached(i);
      const classes = ["node", known ? shade(sums[i]) : "", known ? "" : "unknown",
        isComputed(i, step) ? "" : "later", i === now ? "now" : ""].filter(Boolean).join(" ");
      if (classes !== shown[i]) groups[i].setAttribute("class", shown[i] = classes);
      if (!known) return;
      const sum = text(sums[i]);
      if (sum !== shownSums[i]) node.sum.textContent = shownSums[i] = sum;
    });
    arrows.forEach((arrow, i) => {
      const flows = arrow.head === now && (!backwards || arrow.partial !== null);
      const classes = !data.scalars ? "" : flows ? `flow${backwards ? " backwards" : ""}`
        : isComputed(arrow.head, step) ? "" : "ahead";
      if (classes !== shownPaths[i]) paths[i].setAttribute("class", shownPaths[i] = classes);
    });
    explain(now, backwards);
    if (described >= 0) describe(described);
    mark();
    byId("slider").value = step;
    byId("counter").textContent = data.scalars ? `${step} of ${last}` : "";
    if (data.scalars && location.hash !== `#${step}`) history.replaceState(null, "", `#${step}`);
    if (now >= 0) reveal(now, visible);
  }

  const paragraph = (words, formula) => {
    const p = document.createElement("p");
    p.textContent = words;
    if (formula) p.className = "formula";
    return p;
  };
  function explain(now, backwards) {
    const said = [];
    if (!data.scalars) {
      const kinds = { program: "a lifted program", scalars: "scalars beside closed modules" };
      byId("now").textContent = `A drawing of ${kinds[data.level] ?? data.level}`;
      said.push(paragraph("It is not stepped through; draw scalars alone for that."));
    } else if (now < 0) {
      byId("now").textContent = "The leaves are given";
      const given = nodes.filter((node) => node.kind !== "operation").length;
      const following = half === 1 ? ", from which 1 operation follows"
        : half ? `, from which ${half} operations follow` : "";
      said.push(paragraph(`${given} number${given === 1 ? "" : "s"}${following}.`));
    } else if (!backwards) {
      const node = nodes[now];
      byId("now").textContent = `Forwards: ${node.name}`;
      const words = [node.name, node.symbols || node.operation, node.numbers, text(node.data)];
      said.push(paragraph(words.filter((part, i) => part && part !== words[i - 1]).join(" = "), true));
    } else {
      const node = nodes[now];
      byId("now").textContent = `Backwards: ${node.name}`;
      const alone = begins(now) ? `It is ${outputs === 1 ? "the" : "an"} output` : "No sweep began here";
      const own = begins(now) ? `It is an output, with ${text(seeds[now])} of its own, and all` : "All";
      const whence = outOf[now].length ? `${own} its uses have been swept` : alone;
      said.push(paragraph(`${whence}: its gradient is ${text(sums[now])}.`));
      sweepTo(step - 1);
      const running = sums.slice(); // a node used twice receives twice
      sweepTo(step);
      into[now].forEach((i, place) => {
        const { tail, partial } = arrows[i];
        if (partial === null) return;
        running[tail] += sums[now] * partial;
        const symbols = node.partials[place];
        const rule = [symbols, text(partial)].filter((part, k) => part && (k || part !== text(partial)));
        said.push(paragraph(`∂${node.name}/∂${nodes[tail].name} = ${rule.join(" = ")}`, true));
        const product = text(sums[now] * partial);
        said.push(paragraph(
          `${nodes[tail].name} receives ${text(sums[now])} · ${text(partial)} = ${product}, in all ` +
          `${text(running[tail])}`));
      });
    }
    byId("rule").replaceChildren(...said);
  }

  // ---- details of a node
  let chosen = -1;
  let described = -1;
  function describe(i) {
    described = i;
    const node = nodes[i];
    const rows = [["name", node.label || node.name]];
    if (node.operation) rows.push([data.level === "program" ? "formula" : "operation", node.operation]);
    if (node.symbols) rows.push(["value", node.symbols]);
    if (node.data !== null) rows.push(["data", isComputed(i, step) ? text(node.data) : "not computed yet"]);
    if (node.kind === "constant") rows.push(["gradient", "none: a constant"]);
    else if (data.level === "program") rows.push(["shape", node.shape]);
    else if (!data.scalars) rows.push(["gradient", text(node.gradient)]);
    else rows.push(["gradient", isReached(i) ? text(sums[i]) : "not reached yet"]);
    const names = (list) => list.map((j) => nodes[j].name).join(", ") || "none";
    rows.push(["operands", names(into[i].map((a) => arrows[a].tail))]);
    rows.push(["used by", names(outOf[i].map((a) => arrows[a].head))]);
    const list = document.createElement("dl");
    for (const [term, words] of rows) {
      const dt = document.createElement("dt");
      const dd = document.createElement("dd");
      dt.textContent = term;
      dd.textContent = words.length > 400 ? `${words.slice(0, 400)}…` : words;
      list.append(dt, dd);
    }
    byId("details").replaceChildren(list);
  }
  function choose(i) {
    chosen = (i + nodes.length) % nodes.length;
    describe(chosen);
    byId("said").textContent = byId("details").innerText;
    mark();
    reveal(chosen, legible);
  }

  // ---- search
  let matches = [];
  let match = -1;
  let marked = [];
  function mark() {
    for (const [i, name] of marked) groups[i].classList.remove(name);
    marked = matches.map((i) => [i, "match"]);
    if (chosen >= 0) marked.push([chosen, "chosen"]);
    for (const [i, name] of marked) groups[i].classList.add(name);
    for (const [i] of marked) shown[i] = "";
  }
  function search() {
    const wanted = byId("search").value.trim().toLowerCase();
    const holds = (node) => node.label.toLowerCase().includes(wanted);
    matches = wanted ? nodes.flatMap((node, i) => (holds(node) ? [i] : [])) : [];
    match = -1;
    byId("found").textContent = wanted ? `${matches.length} found` : "";
    mark();
  }
  function nextMatch() {
    if (!matches.length) return;
    match = (match + 1) % matches.length;
    byId("found").textContent = `${match + 1} of ${matches.length}`;
    choose(matches[match]);
  }

  // ---- zoom and pan. A browser works on every text of the page when the scale changes, shown or not: so what
  // is out of sight, and texts too small to read, are taken out of the page
  const full = { width: Number(svg.dataset.width), height: Number(svg.dataset.height) };
  const view = { x: 0, y: 0, scale: 1 }; // the world's point at the top left corner, and pixels for its unit
  const [visible, legible] = [0.12, 0.3]; // scales: a box is a few pixels high; its texts can be read, just
  const [gone, bare, whole] = [0, 1, 2];
  const states = new Uint8Array(nodes.length).fill(whole);
  const drawnPaths = new Uint8Array(arrows.length).fill(1);
  let scheduled = false;
  const size = () => svg.getBoundingClientRect();
  function look() {
    scheduled = false;
    const { width, height } = size();
    const [left, top, right, bottom] = [view.x, view.y, view.x + width / view.scale, view.y + height / view.scale];
    const near = view.scale < legible ? bare : whole;
    nodes.forEach(({ at: [x, y, w, h], texts }, i) => {
      const wanted = x > right || x + w < left || y > bottom || y + h < top ? gone : near;
      if (wanted === states[i]) return;
      if (wanted === gone) groups[i].remove();
      else if (wanted === bare) texts.forEach((element) => element.remove());
      else groups[i].append(...texts);
      if (states[i] === gone) world.append(groups[i]);
      states[i] = wanted;
    });
    arrows.forEach(({ extent: [x, y, farX, farY] }, i) => {
      const wanted = Number(x <= right && farX >= left && y <= bottom && farY >= top);
      if (wanted === drawnPaths[i]) return;
      drawnPaths[i] = wanted;
      if (wanted) lines.append(paths[i]);
      else paths[i].remove();
    });
    world.setAttribute("transform", `scale(${view.scale}) translate(${-view.x} ${-view.y})`);
  }
  const refresh = () => { if (!scheduled) { scheduled = true; requestAnimationFrame(look); } };
  const fitting = () => { const { width, height } = size(); return Math.min(width / full.width, height / full.height); };
  function zoom(factor, at) {
    const { left, top, width, height } = size();
    const [x, y] = at ? [at.clientX - left, at.clientY - top] : [width / 2, height / 2];
    const scale = Math.max(Math.min(fitting(), 1) / 2, Math.min(8, view.scale * factor));
    view.x += x / view.scale - x / scale;
    view.y += y / view.scale - y / scale;
    view.scale = scale;
    refresh();
  }
  function pan(dx, dy) {
    view.x += dx / view.scale;
    view.y += dy / view.scale;
    refresh();
  }
  // where a view of so much room begins that has a point near its middle, and nothing beside the drawing
  const begun = (middle, room, length) => (length <= room ? (length - room) / 2
    : Math.max(0, Math.min(length - room, middle - room / 2)));
  function centre(x, y, scale) {
    const { width, height } = size();
    Object.assign(view, { x: begun(x, width / scale, full.width), y: begun(y, height / scale, full.height), scale });
    refresh();
  }
  const centreOf = ({ at: [x, y, w, h] }) => [x + w / 2, y + h / 2];
  // a node, at the view's scale if it is at least so large, else as large as it was drawn
  function reveal(i, least) {
    const { width, height } = size();
    const [x, y, w, h] = nodes[i].at;
    if (view.scale < least) return centre(...centreOf(nodes[i]), 1);
    const [left, top] = [(x - view.x) * view.scale, (y - view.y) * view.scale];
    const inside = left >= 0 && left + w * view.scale <= width && top >= 0 && top + h * view.scale <= height;
    return inside || centre(...centreOf(nodes[i]), view.scale);
  }
  const fit = () => centre(full.width / 2, full.height / 2, Math.min(fitting(), 2));
  // begin with all of it, or where that would be too small to read, at the first node
  function begin() {
    if (fitting() >= 0.5) fit();
    else centre(...centreOf(nodes[Math.max(current(), 0)]), 1);
    look();
  }
  svg.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoom(Math.exp(event.deltaY * -0.0015), event);
  }, { passive: false });
  let drag = null;
  svg.addEventListener("pointerdown", (event) => {
    drag = { x: event.clientX, y: event.clientY, moved: false };
    svg.setPointerCapture(event.pointerId);
  });
  svg.addEventListener("pointermove", (event) => {
    if (drag) {
      drag.moved ||= Math.hypot(event.clientX - drag.x, event.clientY - drag.y) > 3;
      pan(drag.x - event.clientX, drag.y - event.clientY);
      Object.assign(drag, { x: event.clientX, y: event.clientY });
    } else {
      const group = event.target.closest(".node");
      if (group) describe(Number(group.dataset.node));
      else if (chosen >= 0) describe(chosen);
    }
  });
  svg.addEventListener("pointerup", (event) => {
    const at = document.elementFromPoint(event.clientX, event.clientY);
    const group = drag && !drag.moved && at ? at.closest(".node") : null;
    drag = null;
    if (group) choose(Number(group.dataset.node));
  });

  // ---- controls
  let timer = null;
  function play(wanted) {
    clearInterval(timer);
    timer = null;
    if (wanted) {
      if (step === last) show(0);
      timer = setInterval(() => {
        show(step + 1);
        if (step === last) play(false);
      }, 900);
    }
    byId("play").textContent = wanted ? "Pause" : "Play";
  }
  const go = (wanted) => { play(false); show(wanted); };
  function theme() {
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    const now = document.documentElement.dataset.theme || (dark ? "dark" : "light");
    document.documentElement.dataset.theme = now === "dark" ? "light" : "dark";
  }
  const actions = {
    first: () => go(0), back: () => go(step - 1), play: () => play(!timer), next: () => go(step + 1),
    last: () => go(last), in: () => zoom(1.25), out: () => zoom(0.8), fit, theme,
  };
  for (const [id, action] of Object.entries(actions)) byId(id).addEventListener("click", action);
  byId("slider").addEventListener("input", () => go(Number(byId("slider").value)));
  byId("search").addEventListener("input", search);
  byId("search").addEventListener("keydown", (event) => {
    if (event.key === "Enter") nextMatch();
    if (event.key === "Escape") { byId("search").value = ""; search(); byId("search").blur(); }
  });
  const keys = {
    ArrowRight: "next", ArrowLeft: "back", Home: "first", End: "last", " ": "play",
    "+": "in", "=": "in", "-": "out", 0: "fit", d: "theme",
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.id === "search") return;
    if (event.target.tagName === "BUTTON" && event.key === " ") return;
    const chosenBy = { n: 1, b: -1 }[event.key];
    const moved = { ArrowLeft: [-80, 0], ArrowRight: [80, 0], ArrowUp: [0, -80], ArrowDown: [0, 80] }[event.key];
    if (event.key === "/") byId("search").focus();
    else if (moved && event.shiftKey) pan(...moved);
    else if (chosenBy) choose(chosen < 0 && chosenBy > 0 ? 0 : chosen + chosenBy);
    else if (keys[event.key]) actions[keys[event.key]]();
    else return;
    event.preventDefault();
  });
  const linked = () => { const wanted = location.hash.slice(1); return /^\d+$/.test(wanted) ? Number(wanted) : 0; };
  addEventListener("hashchange", () => go(linked()));
  addEventListener("resize", refresh);
  for (const control of document.querySelectorAll(".steps *")) control.disabled = !data.scalars || !last;
  show(linked());
  begin();
})();
