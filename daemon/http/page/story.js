// One client's whole story, in a dialog of its own: what `heartbeatctl why` prints, kept up to date while it is open.
// The address bar names the client, so that the story has a link and survives a reload.
'use strict';

const STORY_EVERY_MS = 2 * SECOND;

function stallText(stall) {
  if (stall.suspended_ms !== undefined) return `the machine was suspended for ${exactSpan(stall.suspended_ms)}`;
  if (stall.restarted_ms !== undefined) return `the daemon restarted with its clients in ${exactSpan(stall.restarted_ms)}`;
  if (stall.crashed_ms !== undefined) return `the daemon crashed, and went on with its clients in ${exactSpan(stall.crashed_ms)}`;
  return `the daemon itself was stalled for ${exactSpan(stall.stalled_ms)}`;
}

class Story {
  constructor(link) {
    this.link = link;
    this.dialog = byId('story');
    this.name = null;
    this.story = null;
    this.attempt = 0;
    this.timer = 0;
    this.bar = new StandingBar();
    byId('story-bar').append(this.bar.node, element('span', 'standing'));
    byId('story-close').addEventListener('click', () => this.dialog.close());
    this.dialog.addEventListener('close', () => this.closed());
    this.dialog.addEventListener('click', (event) => {
      if (event.target === this.dialog) this.dialog.close();  // beside it
    });
    addEventListener('hashchange', () => this.openFromAddress());
  }

  openFromAddress() {
    const named = /^#client=(.+)$/.exec(location.hash);
    if (!named) return;
    try {
      this.open(decodeURIComponent(named[1]));
    } catch (error) {
      // A link that was cut short names no client.
    }
  }

  // `from` gets the focus back.
  open(name, from = null) {
    if (this.name === name) return;
    this.name = name;
    this.from = from;
    this.story = null;
    this.drawNothing();
    if (!this.dialog.open) this.dialog.showModal();
    this.dialog.scrollTop = 0;
    history.replaceState(null, '', '#client=' + encodeURIComponent(name));
    this.refresh();
  }

  closed() {
    this.name = null;
    ++this.attempt;
    clearTimeout(this.timer);
    history.replaceState(null, '', location.pathname);
    if (this.from) this.from.focus({preventScroll: true});
  }

  // An event of this client has changed its story.
  heard(client) {
    if (client === this.name) this.refreshIn(150);
  }

  refreshIn(ms) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.refresh(), ms);
  }

  async refresh() {
    if (this.name === null) return;
    const attempt = ++this.attempt;
    try {
      const story = await fetchJson('/api/client?name=' + encodeURIComponent(this.name));
      if (attempt !== this.attempt) return;
      this.story = story;
      setText(byId('story-trouble'), '');
      this.draw();
    } catch (error) {
      if (attempt !== this.attempt) return;
      if (error.status === 404) {  // until it comes
        setText(byId('story-trouble'),
          'The daemon knows no such client: it never came, or was closed too long ago to be remembered.');
        return;
      }
      setText(byId('story-trouble'), 'The story could not be read: ' + error.message);
    }
    this.refreshIn(STORY_EVERY_MS);
  }

  drawNothing() {
    setText(byId('story-name'), shownName(this.name));
    setText(byId('story-status'), '');
    byId('story-status').className = 'status';
    setText(byId('story-verdict'), '');
    setText(byId('story-trouble'), '');
    setHidden(byId('story-bar'), true);
    byId('story-facts').replaceChildren();
    byId('story-moments').replaceChildren();
  }

  draw() {
    const {client, verdict} = this.story;
    setText(byId('story-status'), client.status === 'close' ? 'closed' : client.status);
    byId('story-status').className = 'status ' + client.status;
    setText(byId('story-verdict'), verdict);
    setHidden(byId('story-bar'), client.status === 'close');
    this.drawTimes();
    this.drawFacts(client);
    this.drawMoments();
  }

  drawTimes() {
    if (!this.story || this.story.client.status === 'close') return;
    const now = this.link.now();
    this.bar.show(this.story.client, this.rule, now);
    setText(byId('story-bar').lastChild, standingText(this.story.client, this.rule, now));
  }

  drawFacts(client) {
    const now = this.link.now();
    const refused = this.story.refused;
    const facts = [
      ['peer', client.peer + (client.via ? ', via ' + client.via : '')],
      ['certificate', client.certificate || ''],
      ['token', client.token_name || ''],
      ['group', client.group || ''],
      ['declares', client.declared_interval_ms ? `a heartbeat each ${exactSpan(client.declared_interval_ms)}` : ''],
      ['quiet', client.quiet_until ? `as announced, until ${clock(instant(client.quiet_until), now)}` : ''],
      ['on hold', client.hold ? `until ${clock(instant(client.hold.until), now)}, by uid ${client.hold.uid}: ` +
        client.hold.why : ''],
      ['refused', refused ? `${plural(refused.count, 'connection')} since ${clock(instant(refused.since), now)}` : ''],
      ['claims', client.ip ? client.ip + (client.pid === undefined ? '' : ', pid ' + client.pid) : ''],
      ['connected', client.connected === undefined ? '' : `${clock(instant(client.connected), now)}, for ${span(client.connected_ms)}`],
      ['heartbeats', client.connected === undefined ? '' : count(client.heartbeats) +
        (client.heartbeats ? `, the last at ${clock(instant(client.last_heard), now)}` : '')],
      ['interval', client.interval_ms === undefined ? '' : exactSpan(client.interval_ms)],
      ['margin', client.margin === undefined ? '' : percent(client.margin)],
      ['least margin', client.margin_least === undefined ? '' : percent(client.margin_least)],
    ];
    byId('story-facts').replaceChildren(...facts.filter(([, value]) => value !== '').map(([key, value]) => {
      const row = element('div');
      row.append(element('dt', '', key), element('dd', '', value));
      return row;
    }));
  }

  // Its moments and the daemon's own stalls in the order of time; of one instant the stall first: it explains the
  // rest.
  drawMoments() {
    const {moments, stalls, close, forgotten} = this.story;
    const told = stalls.map((stall) => [stall.at, 'stall', stallText(stall)]);
    for (const brake of this.story.brakes || []) {
      told.push([brake.from, 'stall', `the brake on mass closing held, until ${clock(instant(brake.until))}`]);
    }
    for (const moment of moments) told.push([moment.at, moment.what, momentText(moment)]);
    told.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
    if (close) {
      const detail = close.detail ? ` (${close.detail})` : '';
      told.push([close.at, 'close', `closed by the ${close.by}: ${reasonText(close.reason)}${detail}`]);
    }
    const lines = told.map(([at, what, text]) => {
      const li = element('li', what);
      li.append(element('time', 'muted', clock(instant(at), this.link.now())), element('span', '', text));
      return li;
    });
    if (forgotten) {
      const li = element('li', 'muted');
      li.append(element('time', '', '…'), `${plural(forgotten, 'earlier moment')} forgotten, to keep within bounds`);
      lines.unshift(li);
    }
    byId('story-moments').classList.toggle('dated', lines.some((li) => li.firstChild.textContent.length > 8));
    byId('story-moments').replaceChildren(...lines);
  }
}

function momentText(moment) {
  switch (moment.what) {
    case 'connected': return 'connected from ' + moment.peer;
    case 'gap': return `heard again after ${exactSpan(moment.silent_ms)}, ${plural(moment.ticks, 'whole tick')} without a heartbeat`;
    case 'strike': return 'strike ' + moment.strikes;
    case 'leave': return `leave: ${reasonText(moment.reason)}`;
    case 'return': return 'alive again';
    case 'renewed': return 'got a new leave period';
    case 'limited': return 'beat faster than max_rate: read no faster from here on';
    case 'declared': return 'declared itself ' + moment.status;
    case 'takeover': return 'taken over by a connection from ' + moment.peer;
    case 'closed': return `an earlier connection was closed: ${reasonText(moment.reason)}`;
    default: return moment.what;
  }
}
