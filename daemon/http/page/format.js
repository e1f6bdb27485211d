// Times, lengths of time and numbers as people read them, and elements made without parsing any text as HTML: a name
// that a peer chose goes through `element` and `setText`, and stays text.
'use strict';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const numberFormat = new Intl.NumberFormat('en');

function count(number) {
  return numberFormat.format(number);
}

function plural(number, noun) {
  return count(number) + ' ' + noun + (number === 1 ? '' : 's');
}

// "0.4 s", "12 s", "3 min 5 s", "4 h 12 min", "3 d 2 h".
function span(ms) {
  ms = Math.max(0, ms);
  if (ms < 10 * SECOND) return (Math.floor(ms / 100) / 10).toFixed(1) + ' s';
  if (ms < MINUTE) return Math.floor(ms / SECOND) + ' s';
  const [unit, name, below, part] = ms < HOUR ? [MINUTE, 'min', SECOND, 's']
    : ms < DAY ? [HOUR, 'h', MINUTE, 'min'] : [DAY, 'd', HOUR, 'h'];
  const rest = Math.floor((ms % unit) / below);
  return Math.floor(ms / unit) + ' ' + name + (rest ? ' ' + rest + ' ' + part : '');
}

// The length of a stall or of an interval: to the millisecond while that matters.
function exactSpan(ms) {
  return ms < SECOND ? ms + ' ms' : ms < MINUTE ? (ms / SECOND).toFixed(1) + ' s' : span(ms);
}

// As a flag of our programs takes it: "250ms", "10s".
function flagSpan(ms) {
  return ms % SECOND ? ms + 'ms' : ms / SECOND + 's';
}

// An instant as the daemon writes it, in milliseconds; NaN where there is none.
function instant(text) {
  return text ? Date.parse(text) : NaN;
}

// "13:02:11", of another day "Nov 22 13:02:11"; UTC, as in the daemon's own sentences.
function clock(ms, now = ms) {
  if (!Number.isFinite(ms)) return '–';
  const iso = new Date(ms).toISOString();
  if (iso.slice(0, 10) === new Date(now).toISOString().slice(0, 10)) return iso.slice(11, 19);
  const month = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
  return month[Number(iso.slice(5, 7)) - 1] + ' ' + Number(iso.slice(8, 10)) + ' ' + iso.slice(11, 19);
}

// The daemon has rounded its margins down to whole percents; here only the binary fraction is rounded away.
function percent(share) {
  return Math.round(share * 100) + ' %';
}

function bytes(number) {
  const mebibytes = number / (1024 * 1024);
  return (mebibytes < 100 ? mebibytes.toFixed(1) : count(Math.round(mebibytes))) + ' MiB';
}

// A name as a person can tell it from others: in quotes where white space begins or ends it.
function shownName(name) {
  return /^\s|\s$/.test(name) ? `"${name}"` : name;
}

function byId(id) {
  return document.getElementById(id);
}

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

// Touches the document only where something changed: thousands of these run in a frame.
function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function setAttribute(node, name, value) {
  if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

function setHidden(node, hidden) {
  if (node.hidden !== hidden) node.hidden = hidden;
}

// A function that runs `draw` in the next frame, once however often it was called until then.
function oncePerFrame(draw) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      draw();
    });
  };
}
