// Moves through the steps of a training: the boundary is painted, the curves' upright lines are moved.
"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const data = JSON.parse(byId("data").textContent);
  const last = data.loss.length - 1;
  const grids = data.frames.map((frame) => Uint8Array.from(atob(frame.grid), (c) => c.charCodeAt(0)));
  const canvas = byId("boundary");
  const size = canvas.width;
  const brush = canvas.getContext("2d");
  const picture = brush.createImageData(size, size);
  const heights = new Float32Array(size * size);
  const NEGATIVE = [224, 138, 52];
  const POSITIVE = [86, 152, 216];
  const NOWHERE = [203, 213, 225];

  // ---- the boundary
  // Scores between the grid's points, from -1 to 1, row by row; NaN beside one that is no number.
  function spread(grid) {
    const scale = (data.side - 1) / (size - 1);
    for (let row = 0; row < size; row += 1) {
      const y = Math.min(data.side - 2, Math.floor(row * scale));
      const down = row * scale - y;
      for (let column = 0; column < size; column += 1) {
        const x = Math.min(data.side - 2, Math.floor(column * scale));
        const across = column * scale - x;
        const at = y * data.side + x;
        const known = grid[at] && grid[at + 1] && grid[at + data.side] && grid[at + data.side + 1];
        const top = grid[at] * (1 - across) + grid[at + 1] * across;
        const bottom = grid[at + data.side] * (1 - across) + grid[at + data.side + 1] * across;
        heights[row * size + column] = known ? (top * (1 - down) + bottom * down - 128) / 127 : NaN;
      }
    }
  }

  function paint(grid) {
    spread(grid);
    for (let i = 0; i < heights.length; i += 1) {
      const positive = heights[i] > 0;
      const beside = [1, 2, size, 2 * size].some((step) => i + step < heights.length
        && (step >= size || i % size + step < size) && (heights[i + step] > 0) !== positive);
      const unknown = Number.isNaN(heights[i]);
      const strength = unknown || beside ? 1 : 0.15 + 0.6 * Math.abs(heights[i]);
      const colour = unknown ? NOWHERE : beside ? [17, 24, 39] : positive ? POSITIVE : NEGATIVE;
      for (let k = 0; k < 3; k += 1) picture.data[4 * i + k] = 255 - strength * (255 - colour[k]);
      picture.data[4 * i + 3] = 255;
    }
    brush.putImageData(picture, 0, 0);
    data.points.forEach(point);
  }

  // A disc for one class, a square for the other.
  function point([x, y, sign]) {
    const [left, right, bottom, top] = data.extent;
    const across = (x - left) / (right - left) * (size - 1);
    const down = (top - y) / (top - bottom) * (size - 1);
    brush.beginPath();
    if (sign > 0) brush.arc(across, down, 5, 0, 2 * Math.PI);
    else brush.rect(across - 4.5, down - 4.5, 9, 9);
    brush.fillStyle = sign > 0 ? "#1e5fa8" : "#a8560b";
    brush.strokeStyle = "#ffffff";
    brush.fill();
    brush.stroke();
  }

  // ---- a step
  let step = 0;
  const digits = (x) => (typeof x === "number" ? x.toPrecision(3) : x);  // "nan" and "inf" are texts
  function show(wanted) {
    step = Math.max(0, Math.min(last, wanted));
    const after = data.frames.findIndex((frame) => frame.step > step);
    const shown = after < 0 ? data.frames.length - 1 : after - 1;
    const frame = data.frames[shown];
    paint(grids[shown]);
    const words = `${frame.right} of ${data.points.length} points are on the right side`;
    byId("right").textContent = frame.step === step ? words : `${words} at step ${frame.step}`;
    canvas.setAttribute("aria-label", `Decision boundary: ${byId("right").textContent}`);
    byId("lossnow").textContent = `now ${digits(data.loss[step])}`;
    byId("gradientsnow").textContent = `now ${data.gradients
      .map((size, k) => `layer ${k}: ${digits(size[step])}`).join(" · ")} (root mean square)`;
    const [left, right] = data.plot;
    for (const cursor of document.querySelectorAll(".cursor")) {
      cursor.setAttribute("transform", `translate(${left + (right - left) * step / Math.max(1, last)} 0)`);
    }
    byId("slider").value = step;
    byId("counter").textContent = `step ${step} of ${last}`;
    if (location.hash !== `#${step}`) history.replaceState(null, "", `#${step}`);
  }

  // ---- playing
  let timer = 0;
  function pause() {
    clearInterval(timer);
    timer = 0;
    byId("play").textContent = "Play";
  }
  function play() {
    if (step === last) show(0);
    const stride = Math.max(1, Math.round(last / 100));
    timer = setInterval(() => {
      show(step + stride);
      if (step === last) pause();
    }, 80);
    byId("play").textContent = "Pause";
  }
  const toggle = () => (timer ? pause() : play());

  // ---- controls
  const go = (wanted) => { pause(); show(wanted); };
  const keys = {
    ArrowRight: () => go(step + 1), ArrowLeft: () => go(step - 1), Home: () => go(0), End: () => go(last),
    " ": toggle,
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in keys)) return;
    event.preventDefault();
    keys[event.key]();
  });
  byId("play").addEventListener("click", toggle);
  byId("slider").addEventListener("input", () => go(Number(byId("slider").value)));
  const linked = () => show(/^#\d+$/.test(location.hash) ? Number(location.hash.slice(1)) : 0);
  window.addEventListener("hashchange", linked);
  linked();
})();
