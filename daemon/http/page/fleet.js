// Whether the fleet has shrunk: how many clients are alive now, compared with the most that were alive recently.
//
// "Recently" is the last 15 minutes.  After a restart of the daemon it is also the last 15 minutes before the restart,
// however long the daemon was away, because every client has to connect again.
//
// The fleet has shrunk while fewer than nine tenths of that many clients are alive, and at least three clients are
// missing or none is alive.  The reason does not matter: a client in leave is missing, and so is a closed one.  The
// alert HeartbeatdFleetShrunk has the same numbers (docs/operating.md, "A fleet that shrinks").
'use strict';

const FLEET_KEPT = 0.9;
const FLEET_MISSING_LEAST = 3;

// What clients of each close reason did, after a number of them.  A close that ends no client is left out: the client
// of a superseded connection goes on, and a connection that never spoke was no client.
const CLOSED_HOW = {
  silent: 'closed for silence',
  away: 'closed when their declared leave ran out',
  goodbye: 'said goodbye',
  peer_closed: 'closed their connection',
  reset: 'lost their connection (reset)',
  timed_out: 'lost their connection (it timed out)',
  given_up: 'gave their place to a new client, in leave',
  bad_frame: 'closed for bytes that are not a frame',
  bad_heartbeat: 'closed for a frame that is not a heartbeat',
  kicked: 'kicked by an operator',
  frame_timeout: 'closed for a frame that they did not finish',
  limit: 'closed at a bound of the daemon',
  shutdown: 'closed because the daemon was shut down',
  unauthorized: 'closed for want of a credential',
  crash: 'closed over a crash of the daemon',
  absent: 'did not come back after the daemon had ended',
  drained: 'were drained, to connect elsewhere',
};
const LEFT_HOW = {
  silent: 'went to leave for silence',
  declared: 'declared leave',
  remembered: 'came back in leave',
};

// { alive, most, mostAt, shrunk, restartedAt, losses }.  `mostAt` is the last instant at which `most` clients were
// alive; `restartedAt` is the restart of the daemon since then, or null; `losses` are sentences' parts, the largest
// number first.
function fleetOf(samples) {
  const latest = samples.latest();
  const alive = latest ? latest.alive : 0;
  let {alive: most, time: mostAt} = samples.beforeRestart || {alive: 0, time: NaN};
  for (const sample of samples.samples) {
    if (sample.alive >= most && sample.alive > 0) [most, mostAt] = [sample.alive, sample.time];
  }
  const missing = most - alive;
  const shrunk = alive < FLEET_KEPT * most && (missing >= FLEET_MISSING_LEAST || alive === 0);
  const restartedAt = samples.restarts.findLast((at) => at > mostAt) ?? null;
  return {alive, most, mostAt, shrunk, restartedAt, losses: shrunk ? lossesSince(samples, mostAt) : []};
}

function lossesSince(samples, time) {
  const losses = new Map();
  for (const sample of samples.samples) {
    if (sample.time <= time) continue;
    for (const [member, how] of [['left_for', LEFT_HOW], ['closed_for', CLOSED_HOW]]) {
      for (const [reason, number] of Object.entries(sample[member] || {})) {
        if (how[reason]) losses.set(how[reason], (losses.get(how[reason]) || 0) + number);
      }
    }
  }
  return [...losses].sort((a, b) => b[1] - a[1]).map(([how, number]) => `${count(number)} ${how}`);
}

// One line for the headline; empty where there is nothing to say.
function fleetText(fleet, status, now) {
  const {alive, most, mostAt, shrunk, restartedAt, losses} = fleet;
  if (shrunk) {
    const then = `at ${clock(mostAt, now)}`;
    let text = alive === 0 ? `No client is alive: ${count(most)} ${most === 1 ? 'was' : 'were'} ${then}.`
      : `${count(alive)} of ${plural(most, 'client')} are alive: ${count(most - alive)} fewer than ${then}.`;
    if (restartedAt !== null) {
      text += ` The restart of the daemon at ${clock(restartedAt, now)} ended every connection.`;
    }
    return losses.length ? text + ` Since then: ${losses.join(', ')}.` : text;
  }
  if (status.clients.alive + status.clients.leave > 0 || alive > 0) return '';
  const started = clock(instant(status.started), now);
  return status.totals.joins === 0 ? `No client has connected since the daemon’s start at ${started}.`
    : `No client is connected, and none was alive in the last 15 minutes; ` +
      `${count(status.totals.joins)} joined since the daemon’s start at ${started}.`;
}
