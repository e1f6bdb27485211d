// The table of clients: what is asked of the daemon, how often, and the rows.
//
// The table holds the rows up to the end of the page that is shown and no more, so 20 000 clients cost it no more than
// 200.  The list is requested again at a fixed pace and soon after a change, never once for each event, and never
// while a request is in flight.
//
// In its plain form (no search, any status, nearest to leave first) the list is made of two: the clients in leave,
// heard longest ago first, and then the alive clients, least margin first.  Together they are one order.  They also
// name the quiet clients and count those near to leave for the headline.
//
// Closed clients are a list of their own, the one closed last first.  A search finds them behind the connected ones.
'use strict';

const ROWS_WIDE = 50;
const ROWS_NARROW = 20;
const LIST_MOST = 1000;  // the most that the daemon lists in one answer
const NEAR_LIST = 100;   // so many of the nearest are always known
const REFRESH_LEAST_MS = 1 * SECOND;
const REFRESH_MOST_MS = 5 * SECOND;
const SOON_MS = 500;
// Answering takes at most this share of the daemon's time.
const PATIENCE = 8;

class ClientTable {
  constructor(link, openStory, onQuiet) {
    this.link = link;
    this.openStory = openStory;
    this.onQuiet = onQuiet;  // called with { leave: [client…], near: [client…] } after each refresh
    this.search = '';
    this.status = '';
    this.group = '';  // the name of the only one that is shown
    this.sort = 'margin';
    this.page = 0;
    this.cursors = [''];  // of the pages of the list in no order
    this.list = {rows: [], more: false};  // `total` where the daemon has counted the list
    this.active = null;   // the name of the chosen row
    this.rows = [];       // { tr, cells…, client }
    this.wasStatus = new Map();
    this.controller = null;
    this.timer = 0;
    this.timerAt = 0;
    this.lastStart = 0;
    this.lastTook = 0;
    this.rule = null;
    this.table = byId('table');
    this.body = byId('rows');
    this.headings = [...this.table.querySelectorAll('th button')];
    this.draw = oncePerFrame(() => this.drawNow());
    this.listen();
  }

  // --- what the person does ---

  listen() {
    const form = byId('filter');
    const search = byId('search');
    let typing = 0;
    form.addEventListener('submit', (event) => event.preventDefault());
    search.addEventListener('input', () => {
      clearTimeout(typing);
      typing = setTimeout(() => this.askFor(search.value.trim()), 150);
    });
    search.addEventListener('keydown', (event) => {
      if (event.key === 'Escape' && search.value) {
        search.value = '';
        this.ask({search: ''});
        event.preventDefault();
      } else if (event.key === 'ArrowDown') {
        this.table.focus();
        event.preventDefault();
      }
    });
    form.addEventListener('change', (event) => {
      if (event.target.name === 'status') this.ask({status: event.target.value});
      if (event.target === search) this.askFor(search.value.trim());
      if (event.target.id === 'sort') this.ask({sort: event.target.value});
    });
    for (const heading of this.headings) {
      heading.addEventListener('click', () => this.sortBy(heading.dataset.sort));
    }
    byId('first').addEventListener('click', () => this.turnTo(0));
    byId('previous').addEventListener('click', () => this.turnTo(this.page - 1));
    byId('next').addEventListener('click', () => this.turnTo(this.page + 1));
    this.table.addEventListener('keydown', (event) => this.key(event));
    this.table.addEventListener('focus', () => {
      if (this.active === null && this.list.rows.length) this.choose(0);
    });
    // Rows may change places between the press and the release: the client that was pressed on counts.
    this.body.addEventListener('pointerdown', (event) => {
      this.pressed = this.rowOf(event.target)?.client?.name ?? null;
    });
    this.body.addEventListener('click', (event) => {
      const name = this.pressed ?? this.rowOf(event.target)?.client?.name;
      this.pressed = null;
      if (name === undefined || name === null) return;
      this.active = name;
      this.draw();
      this.openStory(name, this.table);
    });
    matchMedia('(max-width: 700px)').addEventListener('change', () => this.turnTo(0));
  }

  // The daemon would refuse a malformed pattern: it is not sent, and the rows stay as they were.
  askFor(text) {
    const wrong = isPattern(text) ? patternTrouble(text) : '';
    this.trouble(wrong, wrong !== '');
    if (!wrong) this.ask({search: text});
  }

  sortBy(sort) {
    byId('sort').value = sort;
    this.ask({sort});
  }

  ask(change) {
    const same = Object.entries(change).every(([key, value]) => this[key] === value);
    if (same) return;
    Object.assign(this, change);
    this.turnTo(0);
  }

  turnTo(page) {
    if (page < 0) return;
    this.page = page;
    if (page === 0) this.cursors = [''];
    setAttribute(this.table, 'aria-busy', 'true');  // what is shown is not yet what was asked for
    this.refreshNow();
  }

  key(event) {
    const shown = this.list.rows.length;
    const at = this.activeIndex();
    const to = {ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: shown - 1}[event.key];
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (to !== undefined) {
      this.choose(Math.max(0, Math.min(shown - 1, to)));
    } else if ((event.key === 'Enter' || event.key === ' ') && at >= 0) {
      this.openStory(this.list.rows[at].name, this.table);
    } else if (event.key === 'PageDown' && this.list.more) {
      this.turnTo(this.page + 1);
    } else if (event.key === 'PageUp' && this.page > 0) {
      this.turnTo(this.page - 1);
    } else {
      return;
    }
    event.preventDefault();
  }

  choose(index) {
    const client = this.list.rows[index];
    this.active = client ? client.name : null;
    this.drawNow();
    if (client) this.rows[index].tr.scrollIntoView({block: 'nearest'});
  }

  activeIndex() {
    return this.active === null ? -1 : this.list.rows.findIndex((client) => client.name === this.active);
  }

  rowOf(target) {
    const tr = target.closest('tr');
    return tr ? this.rows.find((row) => row.tr === tr) : undefined;
  }

  // --- asking the daemon ---

  pageSize() {
    return matchMedia('(max-width: 700px)').matches ? ROWS_NARROW : ROWS_WIDE;
  }

  refreshNow() {
    if (this.controller) this.controller.abort();
    this.controller = null;
    this.refresh();
  }

  // Something changed that the table may show.
  refreshSoon() {
    const earliest = this.lastStart + Math.max(SOON_MS, PATIENCE * this.lastTook);
    this.refreshAt(Math.max(Date.now() + 100, earliest));
  }

  refreshAt(time) {
    if (this.controller) {
      this.again = true;
      return;
    }
    if (this.timerAt && this.timerAt <= time) return;
    clearTimeout(this.timer);
    this.timerAt = time;
    this.timer = setTimeout(() => this.refresh(), time - Date.now());
  }

  pace() {
    const tick = this.rule ? this.rule.tick_ms : 10 * SECOND;
    return Math.max(Math.min(REFRESH_MOST_MS, Math.max(REFRESH_LEAST_MS, tick / 2)), PATIENCE * this.lastTook);
  }

  async refresh() {
    clearTimeout(this.timer);
    this.timerAt = 0;
    if (document.hidden || this.link.state === 'lost' || this.link.boot === null) return;
    const controller = this.controller = new AbortController();
    this.again = false;
    this.lastStart = Date.now();
    const current = () => this.controller === controller;
    try {
      const list = await this.fetchList(controller);
      if (!current()) return;
      this.lastTook = Date.now() - this.lastStart;
      this.take(list);
      this.trouble(patternTrouble(byId('search').value));
    } catch (error) {
      if (!current()) return;
      this.trouble('The list could not be read: ' + error.message, error.status === 400);
      if (error.status === 400) {  // a cursor of a daemon that is gone, for one
        this.page = 0;
        this.cursors = [''];
      }
    }
    this.controller = null;
    if (this.again) this.refreshSoon();
    else this.refreshAt(this.lastStart + this.pace());
  }

  trouble(text, ofSearch = text !== '') {
    setText(byId('list-trouble'), text);
    setAttribute(byId('search'), 'aria-invalid', String(ofSearch));
  }

  clientsOf(members, controller) {
    const query = new URLSearchParams(Object.entries({group: this.group, ...members}).filter(([, value]) => value !== ''));
    return fetchJson('/api/clients?' + query, controller);
  }

  // The object of /api/closed.
  closedOf(match, limit, controller) {
    const members = Object.entries({match, group: this.group, limit}).filter(([, value]) => value !== '');
    return fetchJson('/api/closed?' + new URLSearchParams(members), controller);
  }

  isPlain() {
    return this.search === '' && this.status === '' && this.group === '' && this.sort === 'margin';
  }

  async fetchList(controller) {
    const size = this.pageSize();
    // One more than shown tells whether there is a next page.
    const upTo = Math.min(LIST_MOST, (this.page + 1) * size + 1);
    const plain = this.isPlain();
    const [leave, near] = await Promise.all([
      this.clientsOf({group: '', status: 'leave', sort: 'silence', limit: plain ? upTo : 3}, controller),
      this.clientsOf({group: '', status: 'alive', sort: 'margin', limit: plain ? Math.max(NEAR_LIST, upTo) : NEAR_LIST}, controller),
    ]);
    this.onQuiet({leave: leave.clients, near: near.clients});
    if (plain) {
      const whole = leave.clients.length < upTo;
      return this.pageOf(whole ? leave.clients.concat(near.clients) : leave.clients, size);
    }
    const match = this.search === '' ? '' : isPattern(this.search) ? this.search : `*${this.search}*`;
    if (this.status === 'close') {
      const gone = await this.closedOf(match, upTo, controller);
      return {...this.pageOf(gone.closed, size), total: gone.matching};
    }
    const withClosed = async (rows, limit) => (this.search && !this.status && rows.length < limit
      ? rows.concat((await this.closedOf(match, limit - rows.length, controller)).closed) : rows);
    if (this.sort === '') {
      const page = await this.clientsOf(
        {status: this.status, match, limit: size, cursor: this.cursors[this.page] || ''}, controller);
      if (page.next) this.cursors[this.page + 1] = page.next;
      const rows = page.next ? page.clients : await withClosed(page.clients, size);
      return {rows, more: Boolean(page.next), last: false};
    }
    const found = await this.clientsOf({status: this.status, match, sort: this.sort, limit: upTo}, controller);
    return this.pageOf(await withClosed(found.clients, upTo), size);
  }

  pageOf(clients, size) {
    const from = this.page * size;
    return {
      rows: clients.slice(from, from + size),
      more: clients.length > from + size && from + size < LIST_MOST,
      // The end of what is listed in an order, not of the clients.
      last: clients.length >= LIST_MOST && from + size >= LIST_MOST,
    };
  }

  take(list) {
    if (!list.rows.length && this.page > 0) {
      this.turnTo(this.page - 1);
      return;
    }
    this.list = list;
    setAttribute(this.table, 'aria-busy', 'false');
    for (const client of list.rows) {
      client.heardAt = instant(client.last_heard);
      client.leftAt = instant(client.left);
      client.closesAt = instant(client.closes);
    }
    this.draw();
  }

  // --- the rows ---

  drawNow() {
    const clients = this.list.rows;
    while (this.rows.length < clients.length) this.rows.push(this.makeRow(this.rows.length));
    while (this.rows.length > clients.length) this.rows.pop().tr.remove();
    const active = this.activeIndex();
    const seen = new Map();
    clients.forEach((client, at) => {
      this.fillRow(this.rows[at], client, at === active);
      seen.set(client.name, client.status);
    });
    this.wasStatus = seen;
    if (active >= 0) setAttribute(this.table, 'aria-activedescendant', this.rows[active].tr.id);
    else this.table.removeAttribute('aria-activedescendant');
    this.drawRange();
    this.drawHeadings();
    this.drawTimes();
    setHidden(byId('sort').parentNode, this.status === 'close');
  }

  // Each order has one direction, the more worrying client first.  Two headings may stand for one order.
  drawHeadings() {
    for (const heading of this.headings) {
      const direction = {name: 'ascending', margin: 'ascending'}[this.sort] || 'descending';
      const sorts = heading.dataset.sort === this.sort && this.status !== 'close';
      setAttribute(heading.parentNode, 'aria-sort', sorts ? direction : 'none');
    }
  }

  makeRow(index) {
    const tr = element('tr');
    tr.id = 'row-' + index;
    const row = {tr};
    const cell = (key, className) => {
      const td = element('td', className);
      row[key] = td;
      tr.append(td);
      return td;
    };
    const name = cell('nameCell', 'c-name');
    row.name = element('span', 'name');
    row.claim = element('span', 'claim muted');
    name.append(row.name, row.claim);
    row.status = element('span', 'status');
    cell('statusCell', 'c-status').append(row.status);
    row.bar = new StandingBar();
    row.standing = element('span', 'standing');
    cell('barCell', 'c-bar').append(row.bar.node, row.standing);
    row.margin = element('span');
    row.least = element('span', 'muted least');
    cell('marginCell', 'c-margin number').append(row.margin, ' ', row.least);
    cell('silent', 'c-silent number');
    cell('peer', 'c-peer');
    cell('beat', 'c-beat number');
    cell('interval', 'c-interval number');
    cell('beats', 'c-beats number');
    cell('connected', 'c-connected number');
    this.body.append(tr);
    return row;
  }

  fillRow(row, client, isActive) {
    const changed = this.wasStatus.has(client.name) && this.wasStatus.get(client.name) !== client.status;
    row.client = client;
    row.tr.className = client.status + (isActive ? ' active' : '') + (changed ? ' changed' : '');
    setAttribute(row.tr, 'aria-selected', String(isActive));
    const shown = shownName(client.name);
    setText(row.name, shown);
    setAttribute(row.nameCell, 'title', shown);
    setText(row.claim, client.ip ? 'claims ' + client.ip + (client.pid === undefined ? '' : ', pid ' + client.pid) : '');
    setText(row.status, client.close ? 'closed' : client.status);
    row.status.className = 'status ' + client.status;
    setText(row.margin, client.close ? '–' : percent(client.margin));
    setHidden(row.bar.node, Boolean(client.close));
    setAttribute(row.barCell, 'title', client.close?.detail || '');
    setText(row.least, percent(client.margin_least));
    setText(row.beat, client.heartbeats ? clock(client.heardAt, this.link.now()) : 'never');
    setText(row.interval, client.interval_ms === undefined ? '–' : exactSpan(client.interval_ms));
    setText(row.beats, count(client.heartbeats));
    setText(row.connected, span(client.connected_ms));
    setText(row.peer, client.peer);
    setAttribute(row.peer, 'title', client.peer);
  }

  // What moves by itself, once a second.
  drawTimes() {
    const now = this.link.now();
    for (const row of this.rows) {
      const client = row.client;
      setText(row.silent, span(silentFor(client, now, this.rule)));
      if (!client.close) row.bar.show(client, this.rule, now);
      setText(row.standing, standingText(client, this.rule, now));
    }
  }

  drawRange() {
    const {rows, more, last} = this.list;
    const from = this.page * this.pageSize();
    const known = this.list.total ?? (this.search === '' ? this.totalOf(this.status) : null);
    let text = this.search ? 'No client matches.' : this.status === 'close' ? 'No closed client is remembered.'
      : this.status ? 'No client matches.' : 'No client is connected.';
    if (rows.length) {
      const of = known !== null ? ' of ' + count(Math.max(known, from + rows.length))
        : more || last ? ' of more' : ' of ' + count(from + rows.length);
      text = `${count(from + 1)}–${count(from + rows.length)}${of}`;
    }
    if (last) text += '. The list ends here: search, or choose “every client”, for the others.';
    // The block that says how to connect stands in the place of the empty table.
    const empty = !rows.length && !this.search && !this.status && known === 0;
    setHidden(byId('connect'), !empty);
    setHidden(this.table, empty);
    setHidden(byId('bar-legend'), empty || this.status === 'close');
    setHidden(byId('pager'), empty);
    setText(byId('range'), empty ? '' : text);
    byId('first').disabled = byId('previous').disabled = this.page === 0;
    byId('next').disabled = !more;
  }

  totalOf(status) {
    const totals = this.totals;
    if (!totals || status === 'close' || this.group) return null;
    return status === '' ? totals.alive + totals.leave : totals[status];
  }
}

// --- the search: a part of a name, or a pattern (docs/control.md) ---

function isPattern(text) {
  return /[*?[\\]/.test(text);
}

// A sentence, or nothing where it is a pattern.
function patternTrouble(text) {
  if (!isPattern(text)) return '';
  const rest = text.replace(/\\[^]/gu, '').replace(/\[!?[^][^\]]*\]/gu, '');
  if (rest.includes('[')) return 'A [ of the pattern has no ].';
  if (rest.endsWith('\\')) return 'The pattern ends with a \\, which takes the next character as it is.';
  return '';
}

// --- what a client's standing looks like; its story shows it, too ---

// A client that is in a group brings the rule of its group.
function ruleOf(client, fleetRule) {
  return client.rule || fleetRule;
}

// A client that beats is heard again before long, and the page would not know: only a silence that has outlasted a tick
// is counted on here.
function silentFor(client, now, fleetRule) {
  const rule = ruleOf(client, fleetRule);
  const tick = rule ? rule.tick_ms : 10 * SECOND;
  if (client.status === 'close' || client.silent_ms < 1.5 * tick) return client.silent_ms;
  return Math.max(client.silent_ms, now - instant(client.last_heard));
}

function standingText(client, fleetRule, now) {
  const text = judgedText(client, fleetRule, now);
  return client.hold && text ? `${text}, on hold` : text;
}

function judgedText(client, fleetRule, now) {
  const rule = ruleOf(client, fleetRule);
  if (!rule) return '';
  if (client.status === 'leave') {
    const steady = client.steady ? `, heard ${client.steady}/${rule.recover}` : '';
    return `${client.held ? 'held, ' : ''}closes in ${span(instant(client.closes) - now)}${steady}`;
  }
  if (client.close) return `${reasonText(client.close.reason)}, ${clock(instant(client.close.at), now)}`;
  const strikes = client.strikes ? `, strikes ${client.strikes}/${rule.cursor}` : '';
  return client.silence || client.strikes ? `silent ${client.silence}/${rule.threshold}${strikes}` : 'clean';
}

// A bar has a part for each strike that makes a leave; each part fills with silent ticks, and a whole part is a strike.
// The bar of a client in leave shows how much of its leave is over.  With more than so many strikes the bar has one
// part.
const STRIKE_PARTS_MOST = 12;

// The legend above the table: [a swatch's class, text].
function barLegend(rule) {
  const parts = rule.cursor > STRIKE_PARTS_MOST ? [['strike', 'share of the way to leave']]
    : [['silence', `silent ticks, ${rule.threshold} make a strike`],
      ['strike', rule.cursor === 1 ? 'a strike makes a leave' : `strikes, ${rule.cursor} make a leave`]];
  return [...parts, ['leave', 'leave that is over']];
}

function drawBarLegend(rule) {
  const legend = byId('bar-legend');
  const key = JSON.stringify(rule);
  if (legend.dataset.rule === key) return;
  legend.dataset.rule = key;
  legend.replaceChildren('Bars: ', ...barLegend(rule).map(([kind, text]) => {
    const item = element('span');
    item.append(element('b', kind), text);
    return item;
  }));
}

class StandingBar {
  constructor() {
    this.node = element('span', 'bar');
    this.node.setAttribute('aria-hidden', 'true');  // the text beside it says the same
    this.parts = [];
  }

  show(client, fleetRule, now) {
    const rule = ruleOf(client, fleetRule);
    if (!rule) return;
    const inLeave = client.status === 'leave';
    const wanted = inLeave || rule.cursor > STRIKE_PARTS_MOST ? 1 : rule.cursor;
    while (this.parts.length < wanted) {
      const part = element('i');
      part.append(element('b'));
      this.parts.push(part);
      this.node.append(part);
    }
    while (this.parts.length > wanted) this.parts.pop().remove();
    if (inLeave) {
      const left = instant(client.left);
      this.fill(0, (now - left) / (instant(client.closes) - left), 'leave');
    } else if (wanted === 1 && rule.cursor > 1) {
      this.fill(0, 1 - client.margin, 'strike');
    } else {
      const silence = (client.silence || 0) / rule.threshold;
      for (let at = 0; at < wanted; ++at) {
        if (at < (client.strikes || 0)) this.fill(at, 1, 'strike');
        else this.fill(at, at === (client.strikes || 0) ? silence : 0, 'silence');
      }
    }
  }

  fill(at, share, kind) {
    const fill = this.parts[at].firstChild;
    const width = (Math.max(0, Math.min(1, share)) * 100).toFixed(1) + '%';
    if (fill.style.width !== width) fill.style.width = width;
    if (fill.className !== kind) fill.className = kind;
  }
}
