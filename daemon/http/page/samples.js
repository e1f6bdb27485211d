// The samples of the last 15 minutes, one for each second, and the restarts of the daemon among them.
//
// The samples come from two sources: /api/history has all of them and is read whenever the page connects, and the
// stream brings one each second.  The samples of an earlier run of the daemon are kept, so that a restart does not
// wipe the chart.  Invariant: in the order of time, at most one sample for each second.
'use strict';

const HISTORY_MS = 15 * MINUTE;

class Samples {
  constructor() {
    this.samples = [];   // as in /api/history, with `time` in milliseconds
    this.restarts = [];  // the starts of later runs of the daemon
    // The most clients alive in the 15 minutes before the last restart: { alive, time, until }.  It is kept for 15
    // minutes, however long the daemon was away.
    this.beforeRestart = null;
  }

  add(sample) {
    const time = instant(sample.at);
    if (!Number.isFinite(time)) return;
    const last = this.samples.at(-1);
    if (last && second(time) <= second(last.time)) {
      this.merge([sample]);
      return;
    }
    this.samples.push({...sample, time});
    this.forget(time);
  }

  // Where both sides know a second, the newer knowledge counts.
  merge(samples) {
    const bySecond = new Map(this.samples.map((sample) => [second(sample.time), sample]));
    for (const sample of samples) {
      const time = instant(sample.at);
      if (Number.isFinite(time)) bySecond.set(second(time), {...sample, time});
    }
    this.samples = [...bySecond.values()].sort((a, b) => a.time - b.time);
    if (this.samples.length) this.forget(this.samples.at(-1).time);
  }

  restarted(at) {
    let most = null;
    for (const sample of this.samples) {
      if (!most || sample.alive >= most.alive) most = sample;
    }
    if (most) this.beforeRestart = {alive: most.alive, time: most.time, until: at + HISTORY_MS};
    this.restarts.push(at);
  }

  forget(now) {
    const oldest = now - HISTORY_MS;
    let keep = 0;
    while (keep < this.samples.length && this.samples[keep].time <= oldest) ++keep;
    if (keep) this.samples.splice(0, keep);
    this.restarts = this.restarts.filter((at) => at > oldest);
    if (this.beforeRestart && this.beforeRestart.until <= now) this.beforeRestart = null;
  }

  latest() {
    return this.samples.at(-1);
  }

  // The sum of one of the counts over what is held.
  sum(member) {
    let sum = 0;
    for (const sample of this.samples) sum += sample[member] || 0;
    return sum;
  }

  // The daemon's own stalls in these 15 minutes, oldest first: { from, to, ms }.  A stall that covers several seconds
  // is in the sample of each, and is joined to one here.
  stalls() {
    const found = [];
    for (const sample of this.samples) {
      if (!sample.stalled_ms) continue;
      const from = sample.time - sample.stalled_ms;
      const last = found.at(-1);
      if (last && sample.time - last.to < 1.5 * SECOND) {
        last.to = sample.time;
        last.ms += sample.stalled_ms;
      } else {
        found.push({from, to: sample.time, ms: sample.stalled_ms});
      }
    }
    return found;
  }

  // Whether seconds may be missing between the last sample and this one.  The stream leaves out the samples that a slow
  // reader or a stalled daemon missed; /api/history has them.
  isBehind(sample) {
    const last = this.latest();
    return last === undefined || instant(sample.at) - last.time > 1.6 * SECOND;
  }
}

function second(time) {
  return Math.floor(time / SECOND);
}
