// What happened last, newest first: the clients' transitions with their reasons, and the daemon's own events.
//
// There are three short memories and not one: a thousand joins in a second must not push earlier leaves off the list.
'use strict';

const KEPT = {changes: 300, arrivals: 150, daemon: 100};
const SHOWN = 80;
const DRAW_EVERY_MS = 250;

const KIND_OF = {
  leave: 'changes', return: 'changes', close: 'changes',
  joined: 'arrivals', takeover: 'arrivals', strike: 'arrivals',
  // A client that comes gets one line, that of `joined`.
  connected: null, named: null,
};

const REASONS = {
  silent: 'silent',
  away: 'away: its declared leave ran out',
  goodbye: 'said goodbye',
  peer_closed: 'it closed the connection',
  reset: 'the connection broke',
  timed_out: 'the connection timed out',
  given_up: 'silent in leave, its place went to a new client',
  bad_frame: 'bytes that are not a frame',
  bad_heartbeat: 'a frame that is not a heartbeat',
  superseded: 'another connection took its place',
  kicked: 'kicked by an operator',
  never_spoke: 'never sent a heartbeat',
  frame_timeout: 'a frame that it did not finish',
  limit: 'more than the daemon allows',
  shutdown: 'the daemon was shut down',
  unauthorized: 'no credential for what it claimed',
  crash: 'the daemon crashed',
  absent: 'did not come back',
  drained: 'drained, to connect elsewhere',
  declared: 'it said so itself',
  remembered: 'as it was when it was closed before',
  steady: 'heard steadily again',
};

function reasonText(reason) {
  return REASONS[reason] || (reason ? reason.replaceAll('_', ' ') : '');
}

class Transitions {
  constructor(list, kinds, openStory, now) {
    this.list = list;
    this.kinds = kinds;
    this.now = now;
    this.kept = {changes: [], arrivals: [], daemon: []};
    this.order = 0;
    this.lastDraw = 0;
    this.timer = 0;
    kinds.addEventListener('change', () => this.drawSoon());
    list.addEventListener('click', (event) => {
      const button = event.target.closest('button');
      if (button) openStory(button.textContent, list);
    });
    this.draw = oncePerFrame(() => this.drawNow());
    this.draw();
  }

  // Whether clients' rows may have changed by it.
  add(event) {
    const kind = event.event in KIND_OF ? KIND_OF[event.event] : 'daemon';
    if (kind === null) return false;
    // The strike that makes a leave is shown by the leave.
    if (event.event === 'strike' && this.rule && event.strikes >= this.rule.cursor) return true;
    this.keep(kind, {kind: event.event, at: instant(event.at), client: event.client, text: eventText(event),
      tone: toneOf(event)});
    return kind !== 'daemon';
  }

  // Something that the page itself has noticed.
  note(kind, at, text) {
    this.keep('daemon', {kind, at, text, tone: 'stall'});
  }

  keep(kind, item) {
    item.order = ++this.order;
    const kept = this.kept[kind];
    kept.push(item);
    if (kept.length > KEPT[kind]) kept.shift();
    this.drawSoon();
  }

  drawSoon() {
    if (this.timer) return;
    this.timer = setTimeout(() => {
      this.timer = 0;
      this.draw();
    }, Math.max(0, this.lastDraw + DRAW_EVERY_MS - Date.now()));
  }

  shown() {
    const kept = this.kept;
    const choice = this.kinds.value;
    const items = choice === 'changes' ? [...kept.changes] : choice === 'daemon' ? [...kept.daemon]
      : [...kept.changes, ...kept.arrivals, ...kept.daemon];
    return items.sort((a, b) => b.order - a.order).slice(0, SHOWN);
  }

  drawNow() {
    this.lastDraw = Date.now();
    const items = this.shown();
    // A name that has the keyboard focus keeps it.
    const focused = this.list.contains(document.activeElement) ? document.activeElement.closest('li') : null;
    const made = new Map([...this.list.children].map((li) => [li.dataset.order, li]));
    const wanted = items.map((item) => made.get(String(item.order)) || this.make(item));
    for (const li of this.list.querySelectorAll('li')) {
      if (!wanted.includes(li)) li.remove();
    }
    wanted.forEach((li, at) => {
      if (this.list.children[at] !== li && li !== focused) this.list.insertBefore(li, this.list.children[at] || null);
    });
    if (!items.length) this.list.replaceChildren(this.nothing());
  }

  nothing() {
    return element('li', 'nothing muted', 'Nothing yet.');
  }

  make(item) {
    const li = element('li', item.tone);
    li.dataset.order = item.order;
    const time = element('time', 'muted', clock(item.at, this.now()));
    time.dateTime = new Date(item.at).toISOString();
    li.append(time, element('span', 'kind', item.kind.replaceAll('_', ' ')));
    const what = element('span', 'what');
    if (item.client) {
      what.append(element('button', 'client', item.client));
    }
    what.append(element('span', 'muted', item.text));
    li.append(what);
    return li;
  }
}

function toneOf(event) {
  const tones = {leave: 'leave', fight: 'leave', slow_beats: 'leave', refused: 'leave', refused_again: 'leave', strike: 'strike',
    return: 'return', joined: 'alive', takeover: 'alive', close: 'close', absent: 'close'};
  return tones[event.event] || 'stall';
}

function eventText(event) {
  switch (event.event) {
    case 'joined': return event.client === event.peer ? '' : 'from ' + event.peer;
    case 'takeover': return `from ${event.peer}` + (event.previous_peer ? `, before ${event.previous_peer}` : '');
    case 'strike': return `strike ${event.strikes}, silent for ${exactSpan(event.silent_ms)}`;
    case 'leave':
      return reasonText(event.reason) + (event.reason === 'silent' ? ` for ${exactSpan(event.silent_ms)}` : '');
    case 'return': return reasonText(event.reason);
    case 'close':
      return `from ${event.from}: ${reasonText(event.reason)}` + (event.detail ? ` (${event.detail})` : '');
    case 'stall': return `the daemon itself was absent for ${exactSpan(event.stalled_ms)}; no client is charged for it`;
    case 'restarted': return `the daemon ${event.reason === 'crash' ? 'crashed and went on' : 'restarted'} with its clients, version ${event.from_version} to ${event.to_version}, ` +
      `in ${exactSpan(event.restarted_ms)}; no client is charged for it`;
    case 'suspend': return `the machine was suspended for ${exactSpan(event.suspended_ms)}; no client is charged for it`;
    case 'brake':
      return `closing pauses until ${clock(instant(event.until))}: ${count(event.concerned)} of ` +
        `${plural(event.clients, 'client')} would have been closed for silence at one time`;
    case 'brake_end':
      return `closing goes on (${(event.ended || '').replaceAll('_', ' ')})` +
        (event.held === undefined ? '' : `, ${plural(event.held, 'client')} waited`);
    case 'slow_beats': if (event.interval_ms) return `beats every ${exactSpan(event.interval_ms)}, which is slower than the tick`;
    default:
      return [event.state && `${event.state}, ${count(event.count)} so far`, reasonText(event.reason), event.detail]
        .filter(Boolean).join(': ');
  }
}
