// Wires the page together: what the daemon sends goes to the parts that show it.
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
// The restart that the notice explains: { at, unheardMs, before }; null before one, and once it is dismissed.
let restart = null;

function heardStatus(status) {
  const first = glance.status === null || glance.status.boot !== status.boot;
  glance.status = status;
  clients.rule = story.rule = transitions.rule = status.rule;
  clients.totals = status.clients;
  glance.drawFigures();
  drawGroups();
  drawBarLegend(status.rule);
  drawConnect(status);
  drawBrake(status.brake);
  drawGlance();
  if (first) clients.refreshNow();
}

// One group's clients in the table; all of them where it is chosen again, or gone.
function drawGroups() {
  const groups = (glance.status.groups || []).map((group) => group.name);
  if (clients.group && !groups.includes(clients.group)) clients.ask({group: ''});
  glance.drawGroups(clients.group, (name) => {
    clients.ask({group: clients.group === name ? '' : name});
    drawGroups();
  });
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
  transitions.note('missed', link.now(), `${what} are missing here: the daemon holds only the latest`);
  clients.refreshSoon();
}

function heardRestart(status) {
  const at = instant(status.started);
  samples.restarted(at);
  restart = {at, unheardMs: link.lastData ? Date.now() - link.lastData : 0, before: samples.beforeRestart?.alive ?? 0};
  transitions.note('restart', at, `heartbeatd ${status.version} was restarted; every connection ended with it`);
  clients.page = 0;
  clients.cursors = [''];
}

function drawAll() {
  chart.draw();
  drawGlance();
}

// --- the state of the link ---

let lastState = '';

function drawLink() {
  const age = link.lastData ? Date.now() - link.lastData : 0;
  const state = link.state;
  setAttribute(byId('link'), 'data-state', state);
  setText(byId('link-state'), state === 'lost' ? 'not connected' : state);
  setText(byId('link-age'), link.lastData
    ? `last data ${clock(link.lastDataAt(), link.now())} UTC${age < 1500 ? '' : `, ${span(age)} ago`}` : '');
  document.body.classList.toggle('outdated', state === 'stale' || state === 'lost');
  drawNotice(state, age);
  if (state === lastState) return;
  lastState = state;
  drawGlance();
  if (state === 'live') clients.refreshNow();
}

function drawNotice(state, age) {
  if (restart && link.now() - restart.at > HISTORY_MS) restart = null;
  const trouble = state === 'stale' || state === 'lost';
  setHidden(byId('notice'), !trouble && !restart);
  setHidden(byId('notice-action'), state === 'stale');
  setText(byId('notice-action'), trouble ? 'Try now' : 'Dismiss');
  byId('notice').className = 'notice ' + (trouble || fleetOf(samples).shrunk ? 'trouble' : 'news');
  const since = link.lastData ? ` What you see is ${span(age)} old.` : '';
  let text = '';
  if (state === 'stale') {
    text = 'The daemon has not said anything for a while: it is stopped, starved, or the way to it is broken.' + since;
  } else if (state === 'lost') {
    const wait = Math.max(0, Math.ceil((link.retryAt - Date.now()) / SECOND));
    text = (link.refused ? 'The daemon answers, but sends this page no events: too many pages may be open.'
      : 'No connection to the daemon.') + since + (link.retryAt && wait ? ` Trying again in ${wait} s.` : ' Trying again.');
  } else if (restart) {
    text = restartText();
  }
  setText(byId('notice-text'), text);
}

function restartText() {
  const {at, unheardMs, before} = restart;
  const clients = samples.latest();
  const connected = clients ? clients.alive + clients.leave : 0;
  return `The daemon was restarted at ${clock(at, link.now())}` +
    (unheardMs ? `, and this page had no answer from it for ${span(unheardMs)}. ` : '. ') +
    'Every connection ended with it; clients connect again by themselves, and each begins with a clean record. ' +
    `${connected === 0 ? 'No client is' : connected === 1 ? '1 client is' : `${count(connected)} clients are`} ` +
    `connected now${before ? `; before the restart ${count(before)} ${before === 1 ? 'was' : 'were'} alive` : ''}. ` +
    'The closed clients that the daemon remembered are forgotten.';
}

byId('notice-action').addEventListener('click', () => {
  if (link.state === 'lost') {
    link.retryNow();
  } else {
    restart = null;
    drawLink();
  }
});

// --- an empty fleet ---

// A wildcard address is no address to connect to: the name by which this page was reached leads to the same machine.
function connectAddress(listening) {
  const wildcard = /^(0\.0\.0\.0|\[::\]):(\d+)$/.exec(listening);
  return wildcard ? `${location.hostname}:${wildcard[2]}` : listening;
}

function drawConnect(status) {
  const addresses = status.listening.map(connectAddress);
  setText(byId('connect-why'), status.totals.joins === 0 ? 'No client has connected yet.' : 'No client is connected.');
  setText(byId('connect-command'), `heartbeat-client --server ${addresses[0]} --id first --interval ` + flagSpan(status.rule.tick_ms));
  setText(byId('connect-protocol'), 'Any other program connects by TCP to ' + addresses.join(' or ') +
    ` and sends a heartbeat in each ${flagSpan(status.rule.tick_ms)}: a length of four bytes, the most significant ` +
    'first, and that many bytes of JSON, for example {"ip":"192.0.2.7","status":"alive","id":"first"}.');
}

byId('connect-copy').addEventListener('click', async () => {
  const command = byId('connect-command');
  let copied = true;
  try {
    await navigator.clipboard.writeText(command.textContent);
  } catch (error) {
    // Not allowed, as on a page that came by plain HTTP from another machine: the older way needs a selection.
    getSelection().selectAllChildren(command);
    copied = document.execCommand('copy');
  }
  setText(byId('connect-copy'), copied ? 'Copied' : 'Press Ctrl+C');
  setTimeout(() => setText(byId('connect-copy'), 'Copy'), 3 * SECOND);
});

// Closing for silence pauses: why, for which clients, and what these have in common.
function drawBrake(brake) {
  const holds = brake !== undefined && brake.state === 'holding';
  setHidden(byId('brake'), !holds);
  if (!holds) return;
  const {until, concerned, clients: connected, subnet, listener, group, heard_first: first, heard_last: last} = brake.last;
  const common = [subnet && 'addresses in ' + subnet, listener && 'the listener ' + listener, group && 'the group ' + group,
    `last heard ${clock(instant(first))} to ${clock(instant(last))}`].filter(Boolean);
  setText(byId('brake'), `No client is closed for silence until ${clock(instant(until))}: ${count(concerned)} of ` +
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
