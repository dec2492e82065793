// Search and sort on classes.html, kept in the address; arrow keys between figures and between classes; on the
// page of a class, the way between four samples.
"use strict";

const STEPS = { ArrowLeft: "prev", ArrowRight: "next" };
const OWN_KEYS = "input, select, textarea, .scroll, [role=slider]";  // there, keys have a meaning of their own

document.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || event.target.closest(OWN_KEYS)) return;
  const step = STEPS[event.key] && document.querySelector(`.steps a[rel=${STEPS[event.key]}]`);
  const search = event.key === "/" && document.getElementById("search");
  if (step) location.assign(step.href);
  if (search) { event.preventDefault(); search.focus(); }
});

const fold = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
const byName = new Intl.Collator("en", { numeric: true }).compare;

function browse(list) {
  const [tools, search, sort, order, count, none, clear] =
    ["tools", "search", "sort", "order", "count", "none", "clear"].map((id) => document.getElementById(id));
  const cards = [...list.children].map((card, position) => ({ card, position, text: fold(card.dataset.find) }));
  let descending = false;

  function compare(a, b) {
    const [x, y] = [a, b].map(({ card }) => card.getAttribute(`data-${sort.value}`));
    if (!sort.value || x === y) return (descending && !sort.value ? -1 : 1) * (a.position - b.position);
    if (x === "" || y === "") return x === "" ? 1 : -1;  // what has no number comes last
    return (descending ? -1 : 1) * (sort.value === "name" ? byName(x, y) : x - y) || a.position - b.position;
  }

  function show() {
    const words = fold(search.value).split(/\s+/).filter(Boolean);
    let found = 0;
    for (const { card, text } of cards) {
      card.hidden = !words.every((word) => text.includes(word));
      found += !card.hidden;
    }
    order.textContent = descending ? "↓ descending" : "↑ ascending";
    count.textContent = found === cards.length ? `${found} classes` : `${found} of ${cards.length} classes`;
    none.hidden = found > 0;
  }

  function arrange() {
    list.append(...[...cards].sort(compare).map(({ card }) => card));
  }

  function remember() {
    const state = new URLSearchParams();
    if (search.value) state.set("q", search.value);
    if (sort.value) state.set("sort", sort.value);
    if (descending !== (sort.selectedOptions[0].dataset.order === "desc")) state.set("order", descending ? "desc" : "asc");
    history.replaceState(null, "", state.size ? `#${state}` : location.pathname + location.search);
  }

  function recall() {
    const state = new URLSearchParams(location.hash.slice(1));
    search.value = state.get("q") ?? "";
    sort.value = state.get("sort") ?? "";
    if (sort.selectedIndex < 0) sort.value = "";
    descending = (state.get("order") ?? sort.selectedOptions[0].dataset.order) === "desc";
    arrange();
    show();
  }

  search.addEventListener("input", () => { show(); remember(); });
  sort.addEventListener("change", () => {
    descending = sort.selectedOptions[0].dataset.order === "desc";
    arrange();
    show();
    remember();
  });
  order.addEventListener("click", () => { descending = !descending; arrange(); show(); remember(); });
  clear.addEventListener("click", () => { search.value = ""; show(); remember(); search.focus(); });
  tools.addEventListener("submit", (event) => {  // Enter opens the first class found
    event.preventDefault();
    list.querySelector(".card:not([hidden])")?.click();
  });
  addEventListener("hashchange", recall);
  tools.hidden = false;
  recall();
}

const list = document.querySelector(".cards#classes");
if (list) browse(list);

const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1],
  Home: [-Infinity, -Infinity], End: [Infinity, Infinity] };

function explore(square) {
  const [stage, place, canvas, told, sheet] = [".stage", "[role=slider]", "canvas", ".stage b", "img"]
    .map((found) => square.querySelector(found));
  const [side, tile] = [place.dataset.side, place.dataset.tile].map(Number);
  const pitch = (sheet.naturalWidth - tile) / (side - 1);  // of the images in the sheet
  const brush = canvas.getContext("2d");
  let column = Math.floor(side / 2), row = column;

  function show(x, y) {
    [column, row] = [x, y].map((at) => Math.min(Math.max(at, 0), side - 1));
    brush.drawImage(sheet, column * pitch, row * pitch, tile, tile, 0, 0, tile, tile);
    square.style.setProperty("--column", column);
    square.style.setProperty("--row", row);
    const corner = [column, row].every((at) => at % (side - 1) === 0);
    told.textContent = corner ? `Sample ${"ABCD"[(row ? 2 : 0) + (column ? 1 : 0)]}`
      : `Column ${column + 1}, row ${row + 1} of ${side}`;
    place.setAttribute("aria-valuenow", row * side + column + 1);
    place.setAttribute("aria-valuetext", told.textContent);
  }

  for (const surface of [canvas, sheet]) {
    const follow = (event) => {
      const box = surface.getBoundingClientRect();
      show(Math.floor((event.clientX - box.left) / box.width * side),
        Math.floor((event.clientY - box.top) / box.height * side));
    };
    for (const kind of ["pointerdown", "pointermove"]) surface.addEventListener(kind, follow);
  }
  place.addEventListener("keydown", (event) => {
    const move = !event.altKey && !event.ctrlKey && !event.metaKey && MOVES[event.key];
    if (!move) return;
    event.preventDefault();  // the page does not scroll
    show(column + move[0], row + move[1]);
  });
  sheet.draggable = false;
  square.classList.add("live");
  stage.hidden = false;
  show(column, row);
}

for (const square of document.querySelectorAll(".square")) {
  square.querySelector("img").decode().then(() => explore(square));
}
