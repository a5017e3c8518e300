"""The script of a gallery: filters, sorting, choosing, and the player for notes (simple decaying tones)."""

SCRIPT = r"""
"use strict";
const cards = [...document.querySelectorAll("article")], main = document.querySelector("main");
const marks = new Map([...document.querySelectorAll("#plane a")].map(a => [a.dataset.card, a]));
const by = id => document.getElementById(id);

function matches(card) {
  const words = by("search").value.toLowerCase().split(/\s+/).filter(Boolean), text = card.textContent.toLowerCase();
  return words.every(word => text.includes(word))
    && ["preset", "command", "status"].every(key => !by(key).value || card.dataset[key] === by(key).value);
}
function order(a, b) {
  const key = by("sort").value;
  if (key === "order") return cards.indexOf(a) - cards.indexOf(b);
  if (key === "name") return a.dataset.name.localeCompare(b.dataset.name, undefined, { numeric: true });
  const value = card => key in card.dataset ? Number(card.dataset[key]) : Infinity;
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
  main.append(...[...cards].sort(order));
  by("count").textContent = count + " of " + cards.length;
}
function choose(id, scroll) {
  for (const card of cards) card.classList.toggle("chosen", card.id === id);
  for (const [key, mark] of marks) mark.classList.toggle("chosen", key === id);
  const mark = marks.get(id);
  if (mark && !mark.contains(document.activeElement)) mark.parentNode.append(mark);
  if (scroll) by(id).scrollIntoView({ block: "nearest" });
}
by("filters").addEventListener("input", show);
for (const [id, mark] of marks)
  mark.addEventListener("click", event => { event.preventDefault(); choose(id, true); by(id).focus(); });
for (const card of cards) {
  card.addEventListener("focusin", () => choose(card.id, false));
  card.addEventListener("pointerenter", () => choose(card.id, false));
}

// one thing sounds at a time
let context = null, current = null;
function silence(but) {
  if (current && current !== but) current.pause();
  for (const audio of document.querySelectorAll("audio")) if (audio !== but) audio.pause();
}
document.addEventListener("play", event => silence(event.target), true);

class Player {
  constructor(box) {
    this.button = box.querySelector("button");
    this.range = box.querySelector("input");
    this.card = box.closest("article");
    this.line = this.card.querySelector(".roll .now");
    this.seconds = Number(box.dataset.seconds);
    const flat = JSON.parse(box.dataset.notes);
    this.notes = [];
    for (let n = 0; n < flat.length; n += 4)
      this.notes.push([flat[n] / 1000, flat[n + 1] / 1000, flat[n + 2], flat[n + 3]]);
    this.at = 0;
    this.timer = null;
    this.button.addEventListener("click", () => this.timer === null ? this.play() : this.pause());
    this.range.addEventListener("input", () => this.seek(Number(this.range.value)));
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
    this.button.textContent = "❚❚";
    this.card.classList.add("playing");
    this.tick();
  }
  tick() {
    this.at = Math.max(0, context.currentTime - this.zero);
    while (this.next < this.notes.length && this.notes[this.next][0] < this.at + 0.4)
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
    this.button.textContent = "▶";
    this.card.classList.remove("playing");
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
    const x = this.seconds ? 480 * Math.min(this.at / this.seconds, 1) : 0;
    this.line.setAttribute("x1", x);
    this.line.setAttribute("x2", x);
  }
}
const players = [...document.querySelectorAll(".player")].map(box => new Player(box));
show();
"""
