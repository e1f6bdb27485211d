// The page's link to the daemon: finds it, follows its stream, notices when it falls silent, and comes back.
//
// One connection in three steps: /api/status (which daemon is it, and how far is its feed), /api/history (the chart),
// then the stream from where the page left off.  Any failure ends all of it and starts over after a pause that
// grows.  The browser's own reconnecting is not used: it would not notice that another daemon answers, gives up after
// a 503, and knows no pause.
'use strict';

const STATUS_EVERY_MS = 2 * SECOND;
// A sample comes each second.
const STALE_AFTER_MS = 4 * SECOND;
// So long without a byte means that the connection itself is dead, like after a laptop's sleep.
const GIVE_UP_AFTER_MS = 20 * SECOND;
const ANSWER_WITHIN_MS = 10 * SECOND;
const RETRY_FIRST_MS = 500;
const RETRY_MOST_MS = 10 * SECOND;
// How much of the feed to ask for at first: enough to fill the list of what happened last.
const EVENTS_BACK = 1500;

// The answer's object.  Throws an Error whose `status` is the HTTP status (0: there was no answer) and whose
// message is for people.
async function fetchJson(path, controller = new AbortController()) {
  const timer = setTimeout(() => controller.abort(), ANSWER_WITHIN_MS);
  let response;
  let body;
  try {
    response = await fetch(path, {signal: controller.signal, cache: 'no-store'});
    body = await response.json();
  } catch (error) {
    const failure = new Error(response ? 'the answer could not be read' : 'the daemon does not answer');
    failure.status = 0;
    throw failure;
  } finally {
    clearTimeout(timer);
  }
  if (response.ok) return body;
  const failure = new Error(body.message || `the daemon answered ${response.status}`);
  failure.status = response.status;
  throw failure;
}

class Link {
  // `listener` has a function for each: status(object), history(samples), sample(object), event(object),
  // lost(object), restart(status), and change(), called when `state` or `retryAt` changed and twice a second.
  constructor(listener) {
    this.listener = listener;
    this.state = 'connecting';  // or 'live', 'stale', 'lost'
    this.boot = null;
    this.seq = 0;        // of the last event that was seen
    this.offsets = [];   // the daemon's clock less ours, as seen of late
    this.lastData = 0;   // by our clock, 0: never
    this.retryAt = 0;
    this.failures = 0;
    this.attempt = 0;    // answers to an older attempt are ignored
    this.stream = null;
    this.refused = false;  // the daemon answers, but its stream does not: there are too many pages, for one
    this.retryTimer = 0;
  }

  start() {
    this.connect();
    setInterval(() => this.look(), 500);
    setInterval(() => this.pollStatus(), STATUS_EVERY_MS);
    addEventListener('online', () => this.retryNow());
    document.addEventListener('visibilitychange', () => {
      if (document.hidden) return;
      this.look();
      this.pollStatus();
    });
  }

  // The daemon's wall clock, as well as it can be known here.
  now() {
    return Date.now() + (this.offsets.length ? Math.max(...this.offsets) : 0);
  }

  // The daemon's wall clock when its last data came; NaN before the first.
  lastDataAt() {
    return this.lastData ? this.lastData + (this.now() - Date.now()) : NaN;
  }

  retryNow() {
    if (this.state === 'lost') this.connect();
  }

  async connect() {
    const attempt = ++this.attempt;
    clearTimeout(this.retryTimer);
    this.retryAt = 0;
    try {
      const status = await fetchJson('/api/status');
      if (attempt !== this.attempt) return;
      this.heardOf(status);
      const history = await fetchJson('/api/history');
      if (attempt !== this.attempt) return;
      this.listener.history(history.samples);
      this.follow(attempt);
    } catch (error) {
      if (attempt !== this.attempt) return;
      this.refused = false;
      this.fail();
    }
  }

  heardOf(status) {
    this.heardClock(status.now);
    if (this.boot !== status.boot) {
      const other = this.boot !== null;
      this.boot = status.boot;
      this.seq = Math.max(status.feed.oldest - 1, status.feed.next - 1 - EVENTS_BACK, 0);
      this.offsets = this.offsets.slice(-1);
      if (other) this.listener.restart(status);
    }
    this.listener.status(status);
  }

  follow(attempt) {
    const stream = new EventSource('/api/events?since=' + this.boot + ':' + this.seq);
    this.stream = stream;
    const on = (type, take) => stream.addEventListener(type, (message) => {
      if (attempt !== this.attempt) return;
      this.lastData = Date.now();
      take(JSON.parse(message.data));
    });
    on('hello', (hello) => {
      this.heardClock(hello.now);
      if (hello.boot !== this.boot) {
        this.fail();
        return;
      }
      this.failures = 0;
      this.refused = false;
      this.become('live');
    });
    on('sample', (sample) => {
      if (this.state === 'stale') this.become('live');
      this.listener.sample(sample);
    });
    on('event', (event) => {
      this.seq = Math.max(this.seq, event.seq);
      this.listener.event(event);
    });
    on('lost', (lost) => this.listener.lost(lost));
    stream.onerror = () => {
      if (attempt !== this.attempt) return;
      this.refused = this.state !== 'live' && this.state !== 'stale';
      this.fail();
    };
  }

  fail() {
    ++this.attempt;
    if (this.stream) this.stream.close();
    this.stream = null;
    const most = Math.min(RETRY_MOST_MS, RETRY_FIRST_MS * 2 ** this.failures);
    ++this.failures;
    // Many pages that lost one daemon do not come back in one instant.
    const pause = most * (0.75 + 0.25 * Math.random());
    this.retryAt = Date.now() + pause;
    this.retryTimer = setTimeout(() => this.connect(), pause);
    this.become('lost');
  }

  look() {
    const silent = Date.now() - this.lastData;
    if (this.state === 'live' && silent > STALE_AFTER_MS) this.become('stale');
    if (this.state === 'stale' && silent > GIVE_UP_AFTER_MS) this.fail();
    this.listener.change();
  }

  // What the stream does not carry: rates, lateness, memory.
  async pollStatus() {
    if (this.state !== 'live' || document.hidden || this.polling) return;
    this.polling = true;
    const attempt = this.attempt;
    try {
      const status = await fetchJson('/api/status');
      if (attempt !== this.attempt) return;
      if (status.boot === this.boot) this.heardOf(status);
    } catch (error) {
      // The stream knows better whether the daemon is gone.
    } finally {
      this.polling = false;
    }
  }

  heardClock(text) {
    const time = instant(text);
    if (!Number.isFinite(time)) return;
    this.offsets.push(time - Date.now());
    if (this.offsets.length > 12) this.offsets.shift();
  }

  become(state) {
    const changed = this.state !== state;
    this.state = state;
    if (changed || state === 'lost') this.listener.change();
  }
}
