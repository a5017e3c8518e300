"""The script of a gallery: filters, sorting, choosing, and the player for notes (simple decaying tones)."""

SCRIPT = r"""
"use strict";
const cards = [...document.querySelectorAll("article")], main = document.querySelector("main");
const marks = new Map([...document.querySelectorAll("#plane a")].map(a => [a.dataset.card, a]));
const by = id => document.getElementById(id);

const texts = new Map(cards.map(card => [card, card.textContent.toLowerCase()]));

function matches(card) {
  const words = by("search").value.toLowerCase().split(/\s+/).filter(Boolean), text = texts.get(card);
  return words.every(word => text.includes(word))
    && ["preset", "command", "status"].every(key => !by(key)?.value || card.dataset[key] === by(key).value);
}
function order(a, b) {
  const key = by("sort").value, held = key + (by("reader")?.value ? "Judge" : "");
  if (key === "order") return cards.indexOf(a) - cards.indexOf(b);
  if (key === "name") return a.dataset.name.localeCompare(b.dataset.name, undefined, { numeric: true });
  const value = card => held in card.dataset ? Number(card.dataset[held]) : Infinity;
  const gap = value(a) - value(b);
  return Number.isNaN(gap) || gap === 0 ? cards.indexOf(a) - cards.indexOf(b) : gap;
}
function show() {
  let count = 0;
  for (const card of cards) {
    const there = matches(card);
    card.hidden = !there;
    marks.get(card.id)?.toggleAttribute("hidden", !there);
    count += there;
  }
  by("count").textContent = count + " of " + cards.length;
}
function arrange() {  // a card that moves stops its sound, so only where the order is another
  document.body.classList.toggle("judged", Boolean(by("reader")?.value));
  const wanted = [...cards].sort(order);
  if (wanted.some((card, n) => main.children[n] !== card)) main.append(...wanted);
}
function choose(id, scroll) {
  for (const card of cards) card.classList.toggle("chosen", card.id === id);
  for (const [key, mark] of marks) mark.classList.toggle("chosen", key === id);
  const mark = marks.get(id);
  if (mark && !mark.matches(":hover")) mark.parentNode.append(mark);  // to the front
  by("told").textContent = by(id).dataset.name;
  if (scroll) by(id).scrollIntoView({ block: "nearest" });
}
by("filters").addEventListener("submit", event => event.preventDefault());
by("filters").addEventListener("input", show);
for (const id of ["sort", "reader"]) by(id)?.addEventListener("input", arrange);
for (const [id, mark] of marks) {
  mark.addEventListener("click", event => { event.preventDefault(); choose(id, true); by(id).focus(); });
  mark.addEventListener("pointerenter", () => choose(id, false));
}
for (const card of cards) {
  card.addEventListener("focusin", () => choose(card.id, false));
  card.addEventListener("pointerenter", () => choose(card.id, false));
}
by("plane").addEventListener("keydown", event => {
  const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
  const shown = [...main.children].filter(card => !card.hidden && marks.has(card.id));
  const at = shown.findIndex(card => card.classList.contains("chosen"));
  if (event.key in steps && shown.length) {
    const next = at < 0 && steps[event.key] < 0 ? -1 : at + steps[event.key];
    choose(shown[(next + shown.length) % shown.length].id, true);
  } else if (event.key === "Enter" && at >= 0) shown[at].focus();
  else return;
  event.preventDefault();
});

// one thing sounds at a time
let context = null, current = null;
function silence(but) {
  if (current && current !== but) current.pause();
  for (const audio of document.querySelectorAll("audio")) if (audio !== but) audio.pause();
}
document.addEventListener("play", event => silence(event.target), true);
function point(card, at) {  // where in the piano roll it is
  const roll = card.querySelector(".roll");
  if (!roll) return;
  const x = 480 * Math.min(at / Number(roll.dataset.seconds), 1) || 0;
  for (const end of ["x1", "x2"]) roll.querySelector(".now").setAttribute(end, x);
}
function touch(card, seek) {  // a click into the piano roll
  const roll = card.querySelector(".roll");
  roll?.addEventListener("click", event => {
    const box = roll.getBoundingClientRect();
    seek((event.clientX - box.left) / box.width * Number(roll.dataset.seconds));
  });
}
for (const audio of document.querySelectorAll("audio")) {
  const card = audio.closest("article");
  audio.addEventListener("play", () => card.classList.add("playing"));
  audio.addEventListener("pause", () => card.classList.remove("playing"));
  audio.addEventListener("timeupdate", () => point(card, audio.currentTime));
  touch(card, at => { audio.currentTime = at; audio.play().catch(() => {}); });  // its own face tells what is wrong
}

class Player {
  constructor(box) {
    this.button = box.querySelector("button");
    this.range = box.querySelector("input");
    this.card = box.closest("article");
    this.seconds = Number(box.dataset.seconds);
    const flat = JSON.parse(box.dataset.notes);
    this.notes = [];
    for (let n = 0; n < flat.length; n += 4)
      this.notes.push([flat[n] / 1000, flat[n + 1] / 1000, flat[n + 2], flat[n + 3]]);
    this.at = 0;
    this.timer = null;
    this.button.addEventListener("click", () => this.timer === null ? this.play() : this.pause());
    this.range.addEventListener("input", () => this.seek(Number(this.range.value)));
    touch(this.card, at => { this.seek(at); if (this.timer === null) this.play(); });
  }
  play() {
    silence(this);
    current = this;
    context = context ?? new AudioContext();
    context.resume();
    if (this.at >= this.seconds) this.at = 0;
    this.bus = context.createGain();
    this.bus.gain.value = 0.25;
    this.bus.connect(context.destination);
    this.zero = context.currentTime + 0.05 - this.at;
    this.next = this.notes.findIndex(note => note[0] >= this.at);
    if (this.next < 0) this.next = this.notes.length;
    this.timer = setInterval(() => this.tick(), 100);
    this.told("❚❚", "Pause");
    this.card.classList.add("playing");
    this.tick();
  }
  tick() {
    this.at = Math.max(0, context.currentTime - this.zero);
    while (this.next < this.notes.length && this.notes[this.next][0] < this.at + 1.5)
      this.sound(this.notes[this.next++]);
    this.show();
    if (this.at >= this.seconds + 0.5) { this.pause(); this.at = 0; this.show(); }
  }
  sound([onset, length, pitch, velocity]) {
    const when = Math.max(context.currentTime, this.zero + onset), until = when + length;
    const gain = context.createGain(), tone = context.createOscillator();
    tone.type = "triangle";
    tone.frequency.value = 440 * 2 ** ((pitch - 69) / 12);
    gain.gain.setValueAtTime(0, when);
    gain.gain.linearRampToValueAtTime((velocity / 127) ** 2, when + 0.008);
    gain.gain.setTargetAtTime(0, when + 0.008, 0.6);
    gain.gain.setTargetAtTime(0, until, 0.05);
    tone.connect(gain).connect(this.bus);
    tone.start(when);
    tone.stop(until + 0.4);
  }
  pause() {
    if (this.timer === null) return;
    clearInterval(this.timer);
    this.timer = null;
    this.bus.disconnect();
    this.told("▶", "Play");
    this.card.classList.remove("playing");
  }
  told(sign, word) {
    this.button.textContent = sign;
    this.button.setAttribute("aria-label", word + " " + this.card.dataset.name);
  }
  seek(at) {
    const playing = this.timer !== null;
    this.pause();
    this.at = at;
    this.show();
    if (playing) this.play();
  }
  show() {
    this.range.value = this.at;
    point(this.card, this.at);
  }
}
const players = [...document.querySelectorAll(".player")].map(box => new Player(box));
show();
"""
