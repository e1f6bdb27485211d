// Wires the page together: what the daemon tells goes to the parts that show it.
'use strict';

const samples = new Samples();
const link = new Link({
  status: heardStatus,
  history(list) {
    samples.merge(list);
    drawAll();
  },
  sample: heardSample,
  event: heardEvent,
  lost: heardLost,
  restart: heardRestart,
  change: drawLink,
});
const chart = new Chart(byId('chart'), byId('chart-readout'), samples, () => link.now());
const story = new Story(link);
const openStory = (name, from) => story.open(name, from);
const glance = new Glance(link, samples, openStory);
const clients = new ClientTable(link, openStory, (quiet) => {
  glance.quiet = quiet;
  drawGlance();
});
const transitions = new Transitions(byId('transitions'), byId('kinds'), openStory, () => link.now());
const drawGlance = oncePerFrame(() => glance.draw());
let restartedAt = 0;

function heardStatus(status) {
  const first = glance.status === null || glance.status.boot !== status.boot;
  glance.status = status;
  clients.rule = story.rule = transitions.rule = status.rule;
  clients.totals = status.clients;
  glance.drawFigures();
  drawBrake(status.brake);
  drawGlance();
  if (first) clients.refreshNow();
}

function heardSample(sample) {
  if (samples.isBehind(sample)) fillHole();
  samples.add(sample);
  clients.totals = sample;
  drawAll();
  // What moves by itself moves with the daemon's own beat, and stands still when that does.
  clients.drawTimes();
  story.drawTimes();
  clients.drawRange();
}

let filling = false;

async function fillHole() {
  if (filling) return;
  filling = true;
  try {
    const history = await fetchJson('/api/history');
    samples.merge(history.samples);
    drawAll();
  } catch (error) {
    // The chart keeps its hole: it is honest, and the next reconnect fills it.
  } finally {
    filling = false;
  }
}

function heardEvent(event) {
  if (transitions.add(event)) clients.refreshSoon();
  if (event.event === 'brake' || event.event === 'brake_end') link.pollStatus();
  if (event.client !== undefined) story.heard(event.client);
}

function heardLost(lost) {
  const what = lost.count === undefined ? 'Some events' : plural(lost.count, 'event');
  transitions.note('missed', link.now(), `${what} could not be told here: the daemon holds only the latest`);
  clients.refreshSoon();
}

function heardRestart(status) {
  const started = instant(status.started);
  restartedAt = Date.now();
  samples.restarted(started);
  transitions.note('restart', started, `heartbeatd ${status.version} was started anew; whoever is connected has come since`);
  clients.page = 0;
  clients.cursors = [''];
}

function drawAll() {
  chart.draw();
  drawGlance();
}

// --- the state of the link ---

const RESTART_NOTICE_MS = 30 * SECOND;
let lastState = '';

function drawLink() {
  const age = link.lastData ? Date.now() - link.lastData : 0;
  const state = link.state;
  setAttribute(byId('link'), 'data-state', state);
  setText(byId('link-state'), state === 'lost' ? 'not connected' : state);
  setText(byId('link-age'), link.lastData ? `last data ${age < 1500 ? 'now' : span(age) + ' ago'}, ${clock(link.now())} UTC` : '');
  document.body.classList.toggle('outdated', state === 'stale' || state === 'lost');
  drawNotice(state, age);
  if (state === lastState) return;
  lastState = state;
  drawGlance();
  if (state === 'live') clients.refreshNow();
}

function drawNotice(state, age) {
  const restarted = Date.now() - restartedAt < RESTART_NOTICE_MS;
  const trouble = state === 'stale' || state === 'lost';
  setHidden(byId('notice'), !trouble && !restarted);
  setHidden(byId('notice-action'), state !== 'lost');
  byId('notice').className = 'notice ' + (trouble ? 'trouble' : 'news');
  const since = link.lastData ? ` What you see is ${span(age)} old.` : '';
  let text = '';
  if (state === 'stale') {
    text = 'The daemon has not said anything for a while: it is stopped, starved, or the way to it is broken.' + since;
  } else if (state === 'lost') {
    const wait = Math.max(0, Math.ceil((link.retryAt - Date.now()) / SECOND));
    text = (link.refused ? 'The daemon answers, but tells this page no news: too many pages may be open.'
      : 'No connection to the daemon.') + since + (link.retryAt && wait ? ` Trying again in ${wait} s.` : ' Trying again.');
  } else if (restarted) {
    text = 'The daemon was started anew. The chart goes on; the list begins with it.';
  }
  setText(byId('notice-text'), text);
}

byId('notice-action').addEventListener('click', () => link.retryNow());

// Closing for silence pauses: why, for whom, and what they have in common.
function drawBrake(brake) {
  const holds = brake !== undefined && brake.state === 'holding';
  setHidden(byId('brake'), !holds);
  if (!holds) return;
  const {until, concerned, clients: connected, subnet, listener, heard_first: first, heard_last: last} = brake.last;
  const common = [subnet && 'addresses in ' + subnet, listener && 'the listener ' + listener,
    `last heard ${clock(instant(first))} to ${clock(instant(last))}`].filter(Boolean);
  setText(byId('brake'), `Nobody is closed for silence until ${clock(instant(until))}: ${count(concerned)} of ` +
    `${plural(connected, 'client')} would have been at one time, which points at the network or at this daemon. ` +
    `In common: ${common.join(', ')}. ${count(brake.waiting)} wait; “heartbeatctl brake confirm” closes them now, ` +
    '“heartbeatctl brake release” gives them a new leave period.');
}

// --- the keyboard, everywhere ---

addEventListener('keydown', (event) => {
  const typing = event.target.closest && event.target.closest('input, select, textarea');
  if (event.key !== '/' || typing || byId('story').open || event.ctrlKey || event.metaKey || event.altKey) return;
  byId('search').focus();
  byId('search').select();
  event.preventDefault();
});
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) clients.refreshNow();
});

link.start();
story.openFromAddress();
