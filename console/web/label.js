// The page of pehchan label --web. All that comes from records is put into the page as text, never as markup.
"use strict";

const SAYS = { 1: "match", 0: "no match", 2: "unsure" };
const POLL = 3000;
const PATIENCE = 20000;

const at = (id) => document.getElementById(id);
let token = "";
let page = "";
let state = null;
let busy = false;
let steps = 0;
// Replies may come in another order than what they answer: only those to the last question count.
const asked = { curve: 0, cases: 0 };
let halted = false;

// The token leaves the address at once, and stays in this tab, also when it is loaded again.
function takeToken() {
  const given = location.hash.slice(1);
  if (given) {
    sessionStorage.setItem("token", given);
    history.replaceState(null, "", location.pathname);
  }
  token = sessionStorage.getItem("token") || "";
}

// A tab that is loaded again is the same page; a copy of a tab is another one.
function takePage() {
  const [entry] = performance.getEntriesByType("navigation");
  const known = entry && entry.type === "reload" ? sessionStorage.getItem("page") : null;
  page = known || Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  sessionStorage.setItem("page", page);
}

class Refused extends Error {
  constructor(status, why) {
    super(why);
    this.status = status;
  }
}

async function call(path, body) {
  const headers = { Authorization: `Bearer ${token}` };
  const options = { headers, cache: "no-store", signal: AbortSignal.timeout(PATIENCE) };
  if (body) {
    headers["Content-Type"] = "application/json";
    options.method = "POST";
    options.body = JSON.stringify(body);
  }
  const reply = await fetch(path, options);
  const data = await reply.json();
  if (!reply.ok) throw new Refused(reply.status, data.error);
  return data;
}

function trouble(error, doing) {
  const refused = error instanceof Refused;
  let text = "The server cannot be reached, or has ended. What was answered before is kept. ";
  if (refused && error.status === 401) {
    halted = true;
    text = "This page is not let in, or the server was started anew. Open the address that it printed. ";
  } else if (refused) {
    text = `${error.message} `;
  }
  if (doing) text += doing;
  if (at("trouble").textContent !== text) at("trouble").textContent = text;
  at("trouble").hidden = false;
  enable();
}

function say(text, doubt = false) {
  at("said").textContent = text;
  at("said").classList.toggle("doubt", doubt);
}

function make(name, properties = {}, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}

// The pieces of a value, in its own direction of writing; for readers of the screen it is one text.
function value(pieces) {
  if (!pieces.length) return make("td", { className: "value empty" }, "empty");
  const text = make("bdi");
  for (const [piece, changed] of pieces) {
    if (!changed) text.append(piece);
    else text.append(make("mark", piece ? {} : { className: "missing" }, piece));
  }
  return make("td", { className: "value" }, text);
}

// Of an empty value nothing is left but the mark of what is missing.
const held = (pieces) => (pieces.some(([piece]) => piece) ? pieces : []);

function showRecords(question) {
  const head = make("tr", {}, make("th", { scope: "col" }, "Column"));
  for (const [number, id] of question.ids.entries()) {
    head.append(make("th", { scope: "col" }, id ? make("bdi", {}, id) : `record ${number + 1}`));
  }
  head.append(make("th", { scope: "col", className: "same" }, "Compared"));
  const rows = question.fields.map((field) =>
    make("tr", {}, make("th", { scope: "row" }, make("bdi", {}, field.name)),
      ...field.values.map((pieces) => value(held(pieces))),
      make("td", { className: "same" }, field.compared)));
  at("records").replaceChildren(make("thead", {}, head), make("tbody", {}, ...rows));
  // A narrow page lays the cells one under the other; they stay a table for readers of the screen.
  for (const [parts, role] of [["thead, tbody", "rowgroup"], ["tr", "row"], ["[scope=col]", "columnheader"],
    ["[scope=row]", "rowheader"], ["td", "cell"]]) {
    for (const part of at("records").querySelectorAll(parts)) part.setAttribute("role", role);
  }
}

function showGuess(question) {
  const { guess } = question;
  let text = "The model has no guess.";
  if (guess && !at("guesses").checked) text = "";
  else if (guess) text = `The model's guess: ${guess.says}, ${guess.percent} % sure.`;
  if (question.reason === "taken back") text += " Its answer was taken back.";
  at("guess").textContent = text;
}

function enable() {
  for (const button of document.querySelectorAll("#answers [data-answer]")) {
    button.disabled = halted || !state || !state.question;
  }
  at("undo").disabled = halted || !state || !state.undo;
}

function show(next) {
  const before = state;
  state = next;
  const { question, counts } = state;
  at("trouble").hidden = true;
  at("model").textContent = state.model;
  document.title = `${state.waiting} left: ${state.model} (pehchan label)`;
  at("progress").textContent = `${state.answered} of ${state.number} pairs answered, ${state.waiting} left`;
  at("bar").max = Math.max(state.number, 1);
  at("bar").value = state.answered;
  at("counts").textContent = `${counts[1]} match, ${counts[0]} no match, ${counts[2]} unsure`;
  at("pair").hidden = !question;
  at("nothing").hidden = Boolean(question);
  const shown = before && before.question ? before.question.pair : "";
  if (question && question.pair !== shown) {
    showRecords(question);
    showGuess(question);
  }
  if (before && shown && shown !== (question ? question.pair : "") && !busy) {
    say("The pair that stood here was answered elsewhere meanwhile. Here is the next.");
  }
  at("undo").title = state.undo ? `${SAYS[state.undo.answer]}: ${state.undo.ids.join(" and ")}` : "";
  const { clear, agreed, others } = state;
  at("clear-counts").textContent = `(${clear[1]} likely matches, ${clear[0]} likely no matches)`;
  at("agreed").textContent = agreed.of
    ? `${agreed.agree} of ${agreed.of} answers are what the model guessed before.` : "";
  at("others").textContent = others ? `${others} other page${others > 1 ? "s" : ""} at work on these pairs.` : "";
  enable();
  const given = (each) => JSON.stringify(each && [each.counts, each.last]);
  if (given(before) !== given(state)) {
    showLast();
    showCurve();
    if (before) showCases();
  }
}

function showLast() {
  const focused = document.activeElement && document.activeElement.dataset.pair;
  at("last").replaceChildren(...state.last.map((label) => {
    const names = label.values.map((text, number) => text || label.ids[number]);
    const back = make("button", { type: "button" }, "Take back");
    back.dataset.pair = label.pair;
    back.setAttribute("aria-label", `Take back ${SAYS[label.answer]}: ${names.join(" and ")}`);
    back.addEventListener("click", (event) => event.detail < 2 && takeBack(label));
    return make("li", {}, `${SAYS[label.answer]}: `, make("bdi", {}, names[0]), " and ", make("bdi", {}, names[1]),
      ` (${label.by})`, back);
  }));
  if (focused) {
    const again = [...at("last").querySelectorAll("button")].find((button) => button.dataset.pair === focused);
    (again || at("undo")).focus();
  }
}

// One step at a time: what is pressed before the next pair is shown is not an answer to it.
async function step(work, doing) {
  if (busy || halted) return;
  busy = true;
  steps += 1;
  try {
    await work();
  } catch (error) {
    trouble(error, doing);
  } finally {
    busy = false;
  }
}

function told(results) {
  const kept = results.filter((each) => each.status === "kept");
  const known = results.filter((each) => each.status === "known");
  const texts = [];
  if (results.length === 1 && kept.length) {
    texts.push(`Kept for ${kept[0].ids.filter(Boolean).join(" and ") || "the pair before"}: ${SAYS[kept[0].answer]}.`);
  }
  if (results.length > 1 && kept.length) texts.push(`Kept: ${kept.length} times ${SAYS[kept[0].answer]}.`);
  for (const each of known) {
    const whose = each.by === "this page" ? "on this page" : "elsewhere";
    texts.push(`${each.ids.join(" and ")} was answered ${whose} already: ${SAYS[each.answer]}. That answer stands.`);
  }
  if (results.length > kept.length + known.length) texts.push("A pair is not asked about any more.");
  const doubts = kept.filter((each) => each.doubt);
  for (const each of doubts) texts.push(results.length === 1 ? each.doubt : "");
  return [texts.join(" ").trim(), doubts.length + known.length > 0];
}

function answer(number) {
  if (!state || !state.question) return;
  const { pair } = state.question;
  step(async () => {
    const data = await call("/api/answers", { page, answers: [{ pair, answer: number }] });
    show(data.state);
    const [text, doubt] = told(data.results);
    say(state.question ? `${text} ${state.waiting} left.` : `${text} No more pairs wait.`, doubt);
  }, `Whether "${SAYS[number]}" was kept shows when it is back; if not, answer again.`);
}

function takeBack(label) {
  if (!label) return;
  step(async () => {
    const data = await call("/api/undo", { page, pair: label.pair });
    show(data.state);
    if (data.result.status === "kept") say(`Taken back: ${SAYS[data.result.answer]}. It is asked again.`);
    else say("That answer was taken back already.");
  }, "Nothing was taken back, as far as is known.");
}

// Clear cases

const kind = () => Number(document.querySelector("[name=kind]:checked").value);
const boxes = () => [...at("cases").querySelectorAll("input")];
const ticked = () => boxes().filter((box) => box.checked);

async function showCases() {
  if (!at("clear").open || halted) return;
  asked.cases += 1;
  const number = asked.cases;
  const before = new Set(ticked().map((box) => box.value));
  const focused = document.activeElement && at("cases").contains(document.activeElement) && document.activeElement.value;
  try {
    const data = await call(`/api/clear?page=${page}&answer=${kind()}`);
    if (number !== asked.cases) return;
    const head = make("tr", {}, make("th", { scope: "col" }, "Tick"), make("th", { scope: "col" }, "Sure"));
    head.append(...["Id", ...(data.pairs[0] || { fields: [] }).fields.map((field) => field.name)]
      .map((name) => make("th", { scope: "col" }, make("bdi", {}, name))));
    const bodies = data.pairs.map((question, place) => {
      const box = make("input", { type: "checkbox", value: question.pair, checked: before.has(question.pair) });
      box.setAttribute("aria-label", `pair ${place + 1}: ${question.ids.join(" and ")}`);
      const rows = [0, 1].map((which) => make("tr", {}, make("td", {}, make("bdi", {}, question.ids[which])),
        ...question.fields.map((field) => value(held(field.values[which])))));
      rows[0].prepend(make("td", { rowSpan: 2 }, box), make("td", { rowSpan: 2 }, `${question.guess.percent} %`));
      return make("tbody", {}, ...rows);
    });
    const none = make("tbody", {}, make("tr", {}, make("td", {}, "None waits.")));
    at("cases").replaceChildren(...(bodies.length ? [make("thead", {}, head), ...bodies] : [none]));
    boxes().find((box) => box.value === focused)?.focus();
    showTicked();
  } catch (error) {
    if (number === asked.cases) trouble(error);
  }
}

function showTicked() {
  const count = ticked().length;
  at("keep").disabled = !count;
  at("keep").textContent = count ? `Answer ${count} ticked with ${SAYS[kind()]}` : "Nothing is ticked";
}

function keepTicked() {
  const number = kind();
  const answers = ticked().map((box) => ({ pair: box.value, answer: number }));
  if (!answers.length) return;
  step(async () => {
    const data = await call("/api/answers", { page, answers });
    show(data.state);
    say(`${told(data.results)[0]} ${state.waiting} left.`);
  }, "Which of the ticked were kept shows when it is back.");
}

// How far each answer moved the model

function draw(name, attributes, text = "") {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, each] of Object.entries(attributes)) element.setAttribute(key, each);
  element.textContent = text;
  return element;
}

async function showCurve() {
  if (!at("moving").open || halted) return;
  asked.curve += 1;
  const number = asked.curve;
  let data;
  try {
    data = await call(`/api/curve?page=${page}`);
  } catch (error) {
    if (error instanceof Refused) at("curve-says").textContent = `No curve: ${error.message}`;
    return;
  }
  if (number !== asked.curve) return;
  const svg = at("curve");
  svg.replaceChildren();
  svg.toggleAttribute("hidden", !data.moved || data.moved.length < 2);
  if (data.why) {
    at("curve-says").textContent = `No curve: ${data.why}`;
    return;
  }
  const points = data.moved.map((each) => each * 100);
  const mean = (each) => (each.reduce((sum, one) => sum + one, 0) / each.length).toFixed(1);
  let text = `By how many percentage points each answer moved how likely the ${data.asked} pairs asked about are `
    + "matches, in the mean. It is found from the answers alone; learning from all records may move them further. ";
  if (points.length > data.last) text += `The last ${data.last} answers moved them by ${mean(points.slice(-data.last))} each. `;
  if (data.settled) text += "Further answers to these pairs hardly move the model: match with them, then ask for others.";
  at("curve-says").textContent = text;
  if (svg.hasAttribute("hidden")) return;
  const [width, height, left, bottom, top] = [640, 200, 44, 30, 12];
  const highest = Math.max(...points, 1);
  const x = (place) => left + (place / (points.length - 1)) * (width - left - 12);
  const y = (each) => height - bottom - (each / highest) * (height - bottom - top);
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.append(draw("line", { x1: left, y1: y(0), x2: width, y2: y(0) }),
    draw("line", { x1: left, y1: y(0), x2: left, y2: top }),
    draw("text", { x: left - 6, y: y(0) + 4, "text-anchor": "end" }, "0"),
    draw("text", { x: left - 6, y: y(highest) + 4, "text-anchor": "end" }, highest.toFixed(1)),
    draw("text", { x: left, y: height - 8 }, `answer ${data.from}`),
    draw("text", { x: width - 12, y: height - 8, "text-anchor": "end" }, `answer ${data.from + points.length - 1}`),
    draw("path", { d: points.map((each, place) => `${place ? "L" : "M"}${x(place)} ${y(each)}`).join(" ") }),
    ...points.map((each, place) => draw("circle", { cx: x(place), cy: y(each), r: 3 })));
}

// Keys, clicks, and what others do meanwhile

function pressed(event) {
  if (event.repeat || event.ctrlKey || event.altKey || event.metaKey || !at("keys").checked) return;
  if (event.target instanceof Element && event.target.closest("input:not([type=checkbox], [type=radio]), textarea, select")) return;
  if (event.key === "1" || event.key === "0" || event.key === "2") answer(Number(event.key));
  else if (event.key.toLowerCase() === "u") takeBack(state && state.undo);
  else return;
  event.preventDefault();
}

async function look() {
  if (busy || halted || document.hidden) return;
  const before = steps;
  try {
    const next = await call(`/api/state?page=${page}`);
    // What came of a step in between is newer.
    if (steps === before) show(next);
  } catch (error) {
    if (steps === before) trouble(error);
  }
}

function start() {
  takeToken();
  takePage();
  document.addEventListener("keydown", pressed);
  at("answers").addEventListener("click", (event) => {
    const button = event.target.closest("[data-answer]");
    // The second click of a double one would answer a pair that nobody has seen.
    if (button && event.detail < 2) answer(Number(button.dataset.answer));
  });
  at("undo").addEventListener("click", (event) => event.detail < 2 && takeBack(state && state.undo));
  at("clear").addEventListener("toggle", showCases);
  at("moving").addEventListener("toggle", showCurve);
  at("cases").addEventListener("change", showTicked);
  for (const radio of document.querySelectorAll("[name=kind]")) radio.addEventListener("change", showCases);
  at("tick").addEventListener("click", () => { boxes().forEach((box) => { box.checked = true; }); showTicked(); });
  at("untick").addEventListener("click", () => { boxes().forEach((box) => { box.checked = false; }); showTicked(); });
  at("keep").addEventListener("click", (event) => event.detail < 2 && keepTicked());
  at("guesses").addEventListener("change", () => state && state.question && showGuess(state.question));
  addEventListener("hashchange", () => { takeToken(); halted = false; look(); });
  document.addEventListener("visibilitychange", look);
  enable();
  look();
  setInterval(look, POLL);
}

start();
