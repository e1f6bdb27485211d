// The top of the page answers at one glance: has the fleet shrunk, which clients are quiet and since when, which are
// near to leave, and is the daemon itself to blame?  The daemon's figures at the bottom of the page are drawn here, too.
'use strict';

const NAMED_MOST = 3;

class Glance {
  constructor(link, samples, openStory) {
    this.link = link;
    this.samples = samples;
    this.said = {};
    for (const line of ['quiet', 'near', 'daemon', 'lasting']) {
      byId('say-' + line).addEventListener('click', (event) => {
        const button = event.target.closest('button');
        if (button) openStory(button.textContent, button);
      });
    }
    this.status = null;
    this.quiet = {leave: [], near: []};
    this.icon = '';
  }

  // --- the sentences ---

  drawSentences(totals) {
    const now = this.link.now();
    const fleet = fleetText(this.fleet, this.status, now);
    const came = this.status.totals.joins > 0 || this.fleet.most > 0;
    this.say('fleet', came ? 'gone' : 'idle', fleet ? [fleet] : []);
    this.say('quiet', totals.leave ? 'leave' : 'alive', this.quietText(totals, now));
    this.say('near', this.near().length ? 'near' : 'alive', this.nearText(totals));
    this.say('lasting', 'near', this.lastingText(now));
    this.say('daemon', this.samples.stalls().length ? 'stall' : 'alive', this.daemonText(now));
  }

  // A sentence in pieces: text, or { client } for a name that opens a story.  No pieces hide the line.
  say(id, tone, pieces) {
    const line = byId('say-' + id);
    setHidden(line, pieces.length === 0);
    line.className = tone;
    const key = JSON.stringify(pieces);
    if (this.said[id] === key) return;
    this.said[id] = key;
    const children = () => pieces.map((piece) => (piece.client === undefined ? document.createTextNode(piece)
      : element('button', 'client', piece.client)));
    // A name that has the keyboard focus keeps it.
    const at = [...line.children].indexOf(document.activeElement);
    line.replaceChildren(...children());
    if (at >= 0) (line.children[at] || line.firstElementChild)?.focus();
  }

  quietText(totals, now) {
    // With no client alive, "no client is in leave" would be true and would mislead.
    if (totals.leave === 0) return totals.alive === 0 ? [] : ['No client is in leave.'];
    const named = this.quiet.leave.slice(0, NAMED_MOST);
    const pieces = [`In leave${named.length ? ', last heard' : ''}: `];
    named.forEach((client, at) => pieces.push(at ? ', ' : '', {client: client.name},
      ' ' + clock(instant(client.last_heard), now)));
    const others = totals.leave - named.length;
    if (others > 0) pieces.push(`${named.length ? ' and ' : ''}${plural(others, 'other')}`);
    return [...pieces, '.'];
  }

  nearText(totals) {
    if (totals.alive === 0) return [];
    const near = this.near();
    if (near.length === 0) return [totals.leave ? 'No other client is near leave.' : 'No client is near leave.'];
    const pieces = ['Nearest to leave: '];
    near.slice(0, NAMED_MOST).forEach((client, at) => pieces.push(at ? ', ' : '', {client: client.name},
      ` ${percent(client.margin)} margin`));
    return [...pieces, '.'];
  }

  daemonText(now) {
    const stalls = this.samples.stalls();
    if (stalls.length === 0) {
      const young = this.status.uptime_ms < HISTORY_MS;
      return ['The daemon itself has listened without a break ' +
        (young ? `since its start at ${clock(instant(this.status.started), now)}.` : 'for 15 minutes.')];
    }
    const last = stalls.at(-1);
    const times = stalls.length === 1 ? 'once' : plural(stalls.length, 'time') + ', the last';
    return [`The daemon itself was absent ${times} until ${clock(last.to, now)} for ${exactSpan(last.ms)}. ` +
      'No client is charged for it.'];
  }

  // The conditions that last; the name opens the story.
  lastingText(now) {
    const lasting = this.status.conditions || [];
    const pieces = [];
    for (const each of lasting.slice(0, NAMED_MOST)) {
      pieces.push(pieces.length ? '; ' : 'Lasting: ', each.kind.replaceAll('_', ' ') + ' ',
        ...(each.subject ? [{client: each.subject}] : []),
        ` (${count(each.count)} since ${clock(instant(each.since), now)})`);
    }
    const missing = this.status.clients.missing;
    if (missing > 0) {
      pieces.unshift(`${plural(missing, 'client')} of before the daemon's start ${missing === 1 ? 'is' : 'are'} missing` +
        (pieces.length ? '; ' : '.'));
    }
    if (lasting.length > NAMED_MOST) pieces.push(` and ${plural(lasting.length - NAMED_MOST, 'other')}`);
    return pieces;
  }

  near() {
    return this.quiet.near.filter((client) => client.margin < 1);
  }

  struck() {
    return this.quiet.near.filter((client) => client.strikes > 0);
  }

  struckCount() {
    const struck = this.struck().length;
    return count(struck) + (struck >= NEAR_LIST ? '+' : '');
  }

  // --- the tiles ---

  draw() {
    const sample = this.samples.latest();
    const status = this.status;
    if (!status || !sample) return;
    const totals = {alive: sample.alive, leave: sample.leave};
    this.fleet = fleetOf(this.samples);
    this.drawSentences(totals);
    this.drawAliveTile(totals, status);
    this.tile('leave', count(totals.leave), this.leaveNote());
    byId('tile-leave').parentNode.classList.toggle('some', totals.leave > 0);
    const nearest = this.quiet.near[0];
    this.tile('near', this.struckCount(), !nearest ? 'no client is alive'
      : nearest.margin < 1 ? `least margin ${percent(nearest.margin)}` : 'no client is near leave');
    byId('tile-near').parentNode.classList.toggle('some', this.struck().length > 0);
    this.tile('beats', count(Math.round(status.heartbeats.per_second['10'])), 'mean of 10 s');
    this.drawDaemonTile(status);
    this.drawIcon(totals);
  }

  // A tile for each group, which shows its clients alone in the table; none where there are no groups.
  drawGroups(chosen, choose) {
    const groups = this.status.groups || [];
    const box = byId('groups');
    setHidden(box, groups.length === 0);
    while (box.children.length > groups.length) box.lastChild.remove();
    groups.forEach((group, at) => {
      if (!box.children[at]) {
        const made = element('button', 'tile');
        made.type = 'button';
        made.append(element('span', 'muted'), element('b'), element('span', 'note'));
        made.addEventListener('click', () => choose(made.dataset.group));
        box.append(made);
      }
      const tile = box.children[at];
      const [name, number, note] = tile.children;
      tile.dataset.group = group.name;
      tile.className = 'tile ' + (group.leave ? 'leave some' : group.alive ? 'alive' : 'idle');
      setAttribute(tile, 'aria-pressed', String(group.name === chosen));
      setText(name, group.name);
      setText(number, `${count(group.alive)} alive` + (group.leave ? `, ${count(group.leave)} in leave` : ''));
      setText(note, `tick ${exactSpan(group.rule.tick_ms)}`);
    });
  }

  // Green only where clients are alive and none is missing.
  drawAliveTile(totals, status) {
    const {shrunk, most, mostAt} = this.fleet;
    const tile = byId('tile-fleet');
    const empty = totals.alive === 0 && !shrunk;
    tile.classList.toggle('gone', shrunk || (empty && (totals.leave > 0 || status.totals.joins > 0)));
    tile.classList.toggle('idle', empty);
    this.tile('alive', count(totals.alive), shrunk ? `${count(most)} at ${clock(mostAt, this.link.now())}`
      : `of ${count(status.clients.max)} at most`);
  }

  leaveNote() {
    const longest = this.quiet.leave[0];
    if (!longest) return 'no client is quiet';
    return 'longest silent for ' + span(this.link.now() - instant(longest.last_heard));
  }

  drawDaemonTile(status) {
    const stalls = this.samples.stalls();
    const tile = byId('tile-daemon');
    tile.classList.toggle('some', stalls.length > 0);
    if (stalls.length === 0) {
      this.tile('stall', 'listening', `no stall, loop late p99 ${exactSpan(status.loop_lateness_ms.p99)}`);
      return;
    }
    const total = stalls.reduce((sum, stall) => sum + stall.ms, 0);
    this.tile('stall', 'absent ' + exactSpan(total),
      `${plural(stalls.length, 'stall')} in 15 min, last ${clock(stalls.at(-1).to)}`);
  }

  tile(name, value, note) {
    setText(byId('tile-' + name), value);
    setText(byId(`tile-${name}-note`), note);
  }

  // --- the tab ---

  drawIcon(totals) {
    const {shrunk, most} = this.fleet;
    const live = this.link.state === 'live';
    const state = !live ? 'close' : shrunk ? 'gone' : totals.leave ? 'leave' : totals.alive ? 'alive' : 'close';
    const sign = !live ? 'stale: ' : shrunk ? `(${count(totals.alive)} of ${count(most)}) `
      : totals.leave ? `(${count(totals.leave)}) ` : '';
    const title = sign + 'heartbeatd';
    if (document.title !== title) document.title = title;
    const colour = getComputedStyle(document.documentElement).getPropertyValue('--' + state).trim();
    if (this.icon === colour) return;
    this.icon = colour;
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = 32;
    const context = canvas.getContext('2d');
    context.strokeStyle = colour;
    context.lineWidth = 4;
    context.lineJoin = context.lineCap = 'round';
    context.stroke(new Path2D('M2 18h7l4-12 6 20 4-11 2 3h5'));
    byId('icon').href = canvas.toDataURL();
  }

  // --- the daemon in figures ---

  drawFigures() {
    const status = this.status;
    if (!status) return;
    const rule = status.rule;
    setText(byId('identity'), `${status.version} on ${status.listening.join(', ')}, up ${span(status.uptime_ms)}`);
    const lateness = (late) => (late.count ? `${exactSpan(late.p50)} / ${exactSpan(late.p99)} / ${exactSpan(late.max)}` : '–');
    const stalls = status.stalls;
    const groups = {
      'Judging': [
        ['tick', exactSpan(rule.tick_ms)],
        ['leave after', `${plural(rule.cursor, 'strike')} of ${plural(rule.threshold, 'silent tick')}`],
        ['alive again after', plural(rule.recover, 'heard tick')],
        ['closed after', span(rule.leave_timeout_ms) + ' in leave'],
        ...(status.brake ? [['brake on mass closing', brakeText(status.brake)]] : []),
      ],
      'Listening': [
        ['stalls', stalls.count ? `${count(stalls.count)}, ${exactSpan(stalls.total_ms)} in all` : 'none'],
        ...(stalls.count ? [['worst stall', exactSpan(stalls.worst_ms)]] : []),
        ...(status.suspensions?.count
          ? [['machine suspended', `${count(status.suspensions.count)}, ${exactSpan(status.suspensions.total_ms)} in all`]] : []),
        ...(status.restarts?.count
          ? [['restarts', `${count(status.restarts.count)}, worst ${exactSpan(status.restarts.worst_ms)}`]] : []),
        ['loop late, p50 / p99 / max', lateness(status.loop_lateness_ms)],
        ['verdicts late, p50 / p99 / max', lateness(status.verdict_lateness_ms)],
        ['memory', bytes(status.memory_bytes)],
        ['descriptors', `${count(status.descriptors.used)} of ${count(status.descriptors.limit)}`],
      ],
      'Since its start': [
        ['heartbeats', count(status.heartbeats.total)],
        ...Object.entries(status.totals).map(([name, total]) => [name, count(total)]),
        ['remembered', count(status.remembered)],
      ],
      'Closed for': Object.entries(status.closes).map(([reason, number]) => [reason.replaceAll('_', ' '), count(number)]),
      'Bad input': Object.entries(status.bad_input).map(([kind, number]) => [kind.replaceAll('_', ' '), count(number)]),
    };
    byId('figures').replaceChildren(...Object.entries(groups).filter(([, facts]) => facts.length).map(figureGroup));
  }
}

function figureGroup([title, facts]) {
  const group = element('div', 'group');
  const list = element('dl', 'facts');
  for (const [key, value] of facts) {
    const row = element('div');
    row.append(element('dt', '', key), element('dd', '', value));
    list.append(row);
  }
  group.append(element('h3', '', title), list);
  return group;
}

function brakeText(brake) {
  return brake.state + (brake.count ? `, held ${plural(brake.count, 'time')}` : '');
}
