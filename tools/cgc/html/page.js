// SPDX-License-Identifier: MIT
"use strict";

const data = JSON.parse(document.getElementById("data").textContent);
const frames = data.frames;
const byId = id => document.getElementById(id);
const number = value => value.toLocaleString("en-US");

const element = (name, properties, ...children) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
};

// ---- leaks ----

const placeOf = frame => {
  if (frame.file) return frame.file + ":" + frame.line;
  return frame.module ? frame.module + "+" + frame.offset : "unknown module";
};

for (const leak of data.leaks) {
  const site = leak.site === null ? null : frames[leak.site];
  leak.function = site ? site.function : "unknown";
  leak.place = site ? placeOf(site) : "";
  const names = leak.stack.flatMap(i => [frames[i].function, frames[i].file, frames[i].module]);
  leak.text = [leak.kind, leak.fingerprint, leak.verdict, leak.by, ...names].join("\n").toLowerCase();
}

const columns = [
  {name: "Bytes", key: "bytes", isNumber: true},
  {name: "Objects", key: "blocks", isNumber: true},
  {name: "Kind", key: "kind"},
  {name: "Function", key: "function"},
  {name: "Place", key: "place"},
  {name: "Verdict", key: "verdict"},
];

const state = {sort: columns[0], isDescending: true, rowsMax: 500, shown: [], open: new Set()};

const compare = (a, b) => {
  const left = a[state.sort.key], right = b[state.sort.key];
  const order = state.sort.isNumber ? left - right : left < right ? -1 : left > right ? 1 : 0;
  return state.isDescending ? -order : order;
};

const select = () => {
  const words = byId("filter").value.toLowerCase().split(/\s+/).filter(word => word);
  const isAll = byId("shown").value === "all";
  const isShown = leak => (isAll || leak.verdict === "new") && words.every(word => leak.text.includes(word));
  state.shown = data.leaks.filter(isShown);
  state.shown.sort(compare);
};

// ---- the table ----

const frameItem = frame => {
  const name = element("span", {className: "code", textContent: frame.function});
  const where = placeOf(frame) + (frame.inlined ? " (inlined)" : "");
  const item = element("li", {className: frame.runtime ? "runtime" : ""}, name, " ",
                       element("span", {className: "where code", textContent: where}));
  if (frame.source) item.append(element("code", {className: "source code", textContent: frame.source}));
  return item;
};

const stackRow = leak => {
  const list = element("ol", {start: 1}, ...leak.stack.map(i => frameItem(frames[i])));
  const about = "Allocated by " + leak.by + (leak.is_cycle ? ", part of a cycle" : "") +
    (leak.suppressed_by ? ", suppressed by " + leak.suppressed_by : "") + ", fingerprint " + leak.fingerprint +
    (leak.stack.length ? ", called from" : "; its stack was not recorded");
  const cell = element("td", {colSpan: columns.length}, element("p", {textContent: about}), list);
  return element("tr", {className: "stack"}, cell);
};

const leakRow = leak => {
  const button = element("button", {type: "button", className: "open code", textContent: leak.function});
  const row = element("tr", {}, element("td", {className: "number", textContent: number(leak.bytes)}),
                      element("td", {className: "number", textContent: number(leak.blocks)}),
                      element("td", {}, element("span", {className: "kind " + leak.kind, textContent: leak.kind})),
                      element("td", {}, button), element("td", {className: "place code", textContent: leak.place}),
                      element("td", {textContent: leak.verdict}));
  button.setAttribute("aria-expanded", "false");
  const toggle = () => {
    const isOpen = button.getAttribute("aria-expanded") === "true";
    button.setAttribute("aria-expanded", String(!isOpen));
    if (isOpen) row.nextSibling.remove();
    else row.after(stackRow(leak));
    state.open[isOpen ? "delete" : "add"](leak);
  };
  button.addEventListener("click", toggle);
  return {row, toggle};
};

const drawTable = () => {
  byId("rows").replaceChildren();
  for (const leak of state.shown.slice(0, state.rowsMax)) {
    const {row, toggle} = leakRow(leak);
    byId("rows").append(row);
    if (state.open.has(leak)) toggle();
  }
  byId("more").hidden = state.shown.length <= state.rowsMax;
  for (const column of columns)
    column.head.ariaSort = column !== state.sort ? "none" : state.isDescending ? "descending" : "ascending";
};

const sortBy = column => {
  state.isDescending = column === state.sort ? !state.isDescending : Boolean(column.isNumber);
  state.sort = column;
  state.shown.sort(compare);
  drawTable();
};

const makeColumns = () => {
  for (const column of columns) {
    const button = element("button", {type: "button", textContent: column.name});
    button.addEventListener("click", () => sortBy(column));
    column.head = element("th", {scope: "col", className: column.isNumber ? "number" : ""}, button);
    byId("columns").append(column.head);
  }
};

// ---- the flame graph ----

const rowHeight = 21, narrowPixels = 24, smallestShare = 0.0008;
const flame = {root: null, zoomed: null};

const makeNode = (name, parent) =>
  ({name, parent, depth: parent ? parent.depth + 1 : 0, bytes: 0, blocks: 0, children: new Map()});

const childOf = (node, name) => {
  if (!node.children.has(name)) node.children.set(name, makeNode(name, node));
  return node.children.get(name);
};

const makeTree = () => {
  const root = makeNode("all", null);
  const add = (node, leak) => { node.bytes += leak.bytes; node.blocks += leak.blocks; return node; };
  for (const leak of state.shown) {
    let node = add(root, leak);
    for (let i = leak.stack.length - 1; i >= 0; i--) node = add(childOf(node, frames[leak.stack[i]].function), leak);
  }
  flame.root = flame.zoomed = root;
};

const hueOf = name => {
  let hash = 0;
  for (const c of name) hash = (hash * 31 + c.codePointAt(0)) >>> 0;
  return 12 + hash % 40;
};

const shareOf = node => flame.root.bytes ? node.bytes / flame.root.bytes : 1;

const describe = node => node.name + ": " + number(node.bytes) + " bytes in " + number(node.blocks) + " objects, " +
  (100 * shareOf(node)).toFixed(1) + " %";

const drawNode = (node, left, width, isAbove) => {
  const button = element("button", {type: "button", textContent: node.name, title: describe(node),
                                    className: isAbove ? "above" : ""});
  button.classList.toggle("narrow", width * byId("flame").clientWidth < narrowPixels);
  button.style.cssText = `left:${left * 100}%;width:calc(${width * 100}% - 1px);top:${node.depth * rowHeight}px`;
  button.style.setProperty("--hue", hueOf(node.name));
  button.setAttribute("aria-label", describe(node));
  button.addEventListener("click", () => zoom(node));
  node.button = button;
  byId("flame").append(button);
};

// Returns the depth of the deepest that was drawn.
const drawBelow = (node, left, width) => {
  let deepest = node.depth;
  drawNode(node, left, width, false);
  const children = [...node.children.values()].sort((a, b) => b.bytes - a.bytes);
  for (const child of children) {
    const share = node.bytes ? width * child.bytes / node.bytes : width / children.length;
    if (share >= smallestShare) deepest = Math.max(deepest, drawBelow(child, left, share));
    left += share;
  }
  return deepest;
};

const mark = () => {
  const word = byId("search").value.trim().toLowerCase();
  let bytes = 0;
  const visit = (node, isInside) => {
    const isMatch = word !== "" && node.name.toLowerCase().includes(word);
    if (isMatch && !isInside) bytes += node.bytes;
    if (node.button?.isConnected) node.button.classList.toggle("match", isMatch);
    node.children.forEach(child => visit(child, isInside || isMatch));
  };
  visit(flame.root, false);
  byId("found").textContent = word === "" ? "" : number(bytes) + " bytes, " +
    (flame.root.bytes ? 100 * bytes / flame.root.bytes : 0).toFixed(1) + " %";
};

const drawFlame = () => {
  byId("flame").replaceChildren();
  for (let node = flame.zoomed.parent; node; node = node.parent) drawNode(node, 0, 1, true);
  const deepest = drawBelow(flame.zoomed, 0, 1);
  byId("flame").style.height = (deepest + 1) * rowHeight + "px";
  byId("reset").disabled = flame.zoomed === flame.root;
  mark();
};

const zoom = node => {
  flame.zoomed = node;
  drawFlame();
  node.button.focus({preventScroll: true});
};

// ---- the head ----

const drawTotals = () => {
  const counted = data.leaks.filter(leak => leak.verdict === "new");
  const sum = key => counted.reduce((total, leak) => total + leak[key], 0);
  const unchecked = data.processes.filter(process => process.error);
  const totals = {"Bytes leaked": sum("bytes"), "Objects": sum("blocks"), "Places": counted.length,
                  "Processes checked": data.processes.filter(process => process.checked).length};
  for (const [name, value] of Object.entries(totals))
    byId("totals").append(element("div", {}, element("dt", {textContent: name}),
                                  element("dd", {textContent: number(value)})));
  byId("command").textContent = data.command.join(" ");
  byId("unchecked").hidden = unchecked.length === 0;
  byId("unchecked").append(...unchecked.slice(0, 20).map(process =>
    element("div", {textContent: "Not checked: process " + process.pid + " (" + process.exe + "): " + process.error})));
  document.title = byId("title").textContent = counted.length ? "Memory leaks" : "No memory leaks";
};

const draw = () => {
  select();
  byId("count").textContent = state.shown.length === data.leaks.length ? number(data.leaks.length) + " places"
    : number(state.shown.length) + " of " + number(data.leaks.length) + " places";
  makeTree();
  drawTable();
  drawFlame();
};

const begin = () => {
  makeColumns();
  drawTotals();
  if (!data.leaks.some(leak => leak.verdict === "new")) byId("shown").value = "all";
  byId("filter").addEventListener("input", draw);
  byId("shown").addEventListener("change", draw);
  byId("controls").addEventListener("submit", event => event.preventDefault());
  byId("search").addEventListener("input", mark);
  byId("reset").addEventListener("click", () => zoom(flame.root));
  window.addEventListener("resize", drawFlame);
  byId("more").addEventListener("click", () => { state.rowsMax += 1000; drawTable(); });
  draw();
};

begin();
