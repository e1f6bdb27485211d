// The chart of the last 15 minutes, drawn by hand on a canvas.
//
// Four lanes share one axis of time, newest at the right: whether the daemon itself listened, how many clients are
// alive, how many are in leave, and what changed (joins and returns upwards, leaves and closes downwards).  Each
// lane has a scale of its own: three quiet clients of twenty thousand must be as visible as three of five.  A stall
// of the daemon is a band through all of them, because that is how far its shadow falls.
'use strict';

const BUCKET_NARROW_S = 15;
const BUCKET_WIDE_S = 5;
// A line is not drawn across a longer hole than this: the counts in it are not known.
const HOLE_MS = 2600;

class Chart {
  constructor(canvas, readout, samples, now) {
    this.canvas = canvas;
    this.readout = readout;
    this.samples = samples;
    this.now = now;
    this.pointed = null;  // the instant under the pointer or chosen by key
    this.draw = oncePerFrame(() => this.drawNow());
    this.legend = this.makeLegend();
    new ResizeObserver(() => this.draw()).observe(canvas);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
      this.colours = null;
      this.draw();
    });
    canvas.addEventListener('pointermove', (event) => this.point(this.timeAt(event.offsetX)));
    canvas.addEventListener('pointerleave', () => this.point(null));
    canvas.addEventListener('blur', () => this.point(null));
    canvas.addEventListener('keydown', (event) => this.key(event));
  }

  key(event) {
    const steps = {ArrowLeft: -5, ArrowRight: 5, PageUp: -60, PageDown: 60};
    const latest = this.now();
    if (event.key in steps) {
      const from = this.pointed ?? latest;
      this.point(Math.min(latest, Math.max(latest - HISTORY_MS, from + steps[event.key] * SECOND)));
    } else if (event.key === 'Escape') {
      this.point(null);
    } else {
      return;
    }
    event.preventDefault();
  }

  point(time) {
    this.pointed = time;
    this.draw();
  }

  // --- geometry ---

  timeAt(x) {
    return this.now() - HISTORY_MS * (1 - x / this.width);
  }

  x(time) {
    return this.width * (1 - (this.end - time) / HISTORY_MS);
  }

  measure() {
    const ratio = Math.max(1, devicePixelRatio || 1);
    this.width = this.canvas.clientWidth;
    this.height = this.canvas.clientHeight;
    const pixels = [Math.round(this.width * ratio), Math.round(this.height * ratio)];
    if (this.canvas.width !== pixels[0] || this.canvas.height !== pixels[1]) {
      [this.canvas.width, this.canvas.height] = pixels;
    }
    const context = this.canvas.getContext('2d');
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    return context;
  }

  lanes() {
    const axis = 18;
    const daemon = {top: 2, height: 7};
    const left = this.height - axis - daemon.height - 2;
    const gap = 20;  // holds a lane's name and scale
    const room = left - 3 * gap;
    const alive = {top: daemon.top + daemon.height + gap, height: Math.round(room * 0.30)};
    const leave = {top: alive.top + alive.height + gap, height: Math.round(room * 0.32)};
    const changes = {top: leave.top + leave.height + gap, height: Math.round(room * 0.38)};
    return {daemon, alive, leave, changes, bottom: changes.top + changes.height};
  }

  palette() {
    if (this.colours) return this.colours;
    const style = getComputedStyle(document.documentElement);
    this.colours = {};
    for (const name of ['alive', 'leave', 'close', 'return', 'stall', 'line', 'muted', 'text', 'surface']) {
      this.colours[name] = style.getPropertyValue('--' + name).trim();
    }
    this.font = '11px ' + getComputedStyle(document.body).fontFamily;
    return this.colours;
  }

  // --- drawing ---

  drawNow() {
    if (!this.canvas.clientWidth) return;
    const context = this.measure();
    const colours = this.palette();
    this.end = this.now();
    const lanes = this.lanes();
    context.clearRect(0, 0, this.width, this.height);
    context.font = this.font;
    context.textBaseline = 'alphabetic';
    this.drawAxis(context, lanes, colours);
    this.drawStallBands(context, lanes, colours);
    this.drawDaemon(context, lanes.daemon, colours);
    this.drawArea(context, lanes.alive, 'alive', 'alive', colours);
    this.drawArea(context, lanes.leave, 'leave', 'in leave', colours);
    this.drawChanges(context, lanes.changes, colours);
    this.drawRestarts(context, lanes, colours);
    this.drawPointer(context, lanes, colours);
    this.tell();
  }

  drawAxis(context, lanes, colours) {
    const step = (this.width < 520 ? 5 : this.width < 1000 ? 3 : 1) * MINUTE;
    context.textAlign = 'center';
    for (let at = Math.ceil((this.end - HISTORY_MS) / step) * step; at <= this.end; at += step) {
      const x = Math.round(this.x(at)) + 0.5;
      context.strokeStyle = colours.line;
      context.lineWidth = 1;
      context.beginPath();
      context.moveTo(x, lanes.daemon.top);
      context.lineTo(x, lanes.bottom);
      context.stroke();
      if (x < 18 || x > this.width - 18) continue;
      context.fillStyle = colours.muted;
      context.fillText(clock(at).slice(-8, -3), x, this.height - 4);
    }
  }

  eachStall(take) {
    for (const stall of this.samples.stalls()) {
      const to = this.x(stall.to);
      take(Math.min(this.x(stall.from), to - 3), to, stall);
    }
  }

  drawStallBands(context, lanes, colours) {
    context.fillStyle = colours.stall;
    context.globalAlpha = 0.16;
    this.eachStall((from, to) => context.fillRect(from, lanes.daemon.top, to - from, lanes.bottom - lanes.daemon.top));
    context.globalAlpha = 1;
  }

  drawDaemon(context, lane, colours) {
    context.fillStyle = colours.alive;
    context.globalAlpha = 0.45;
    this.eachRun((run) => {
      const from = this.x(run[0].time - SECOND);
      context.fillRect(from, lane.top + 2, Math.max(1, this.x(run.at(-1).time) - from), lane.height - 4);
    });
    context.globalAlpha = 1;
    context.fillStyle = colours.stall;
    this.eachStall((from, to) => context.fillRect(from, lane.top, to - from, lane.height));
    this.labelStalls(context, lane);
  }

  // The newest first, and of those that would overlap only that one.
  labelStalls(context, lane) {
    const stalls = [];
    this.eachStall((from, to, stall) => stalls.unshift({from, to, ms: stall.ms}));
    let free = this.width - 40;  // the scale is written at the right
    context.textAlign = 'left';
    for (const {from, to, ms} of stalls) {
      const text = 'daemon stalled ' + exactSpan(ms);
      const width = context.measureText(text).width;
      const x = to + 4 + width < free ? to + 4 : from - 4 - width;
      if (x < 40 || x + width > free) continue;
      context.fillText(text, x, lane.top + lane.height + 12);
      free = x - 12;
    }
  }

  // Stretches of samples without a hole.  A hole that a stall explains is bridged.
  eachRun(take) {
    let run = [];
    for (const sample of this.samples.samples) {
      const last = run.at(-1);
      if (last && sample.time - last.time > HOLE_MS + (sample.stalled_ms || 0)) {
        take(run);
        run = [];
      }
      run.push(sample);
    }
    if (run.length) take(run);
  }

  label(context, lane, name, scale, colours, colour) {
    context.textAlign = 'left';
    context.fillStyle = colours[colour];
    context.fillText(name, 0, lane.top - 5);
    context.fillStyle = colours.muted;
    context.textAlign = 'right';
    context.fillText(scale, this.width, lane.top - 5);
  }

  drawArea(context, lane, member, name, colours) {
    let most = 1;
    for (const sample of this.samples.samples) most = Math.max(most, sample[member]);
    const top = niceAbove(most);
    const y = (value) => lane.top + lane.height * (1 - value / top);
    this.eachRun((run) => {
      context.beginPath();
      run.forEach((sample, at) => {
        const x = this.x(sample.time);
        if (at) context.lineTo(x, y(sample[member]));
        else context.moveTo(x, y(sample[member]));
      });
      context.strokeStyle = colours[member];
      context.lineWidth = 1.5;
      context.lineJoin = 'round';
      context.stroke();
      context.lineTo(this.x(run.at(-1).time), lane.top + lane.height);
      context.lineTo(this.x(run[0].time), lane.top + lane.height);
      context.fillStyle = colours[member];
      context.globalAlpha = 0.18;
      context.fill();
      context.globalAlpha = 1;
    });
    this.baseline(context, lane.top + lane.height, colours);
    this.label(context, lane, name, count(top), colours, member);
  }

  baseline(context, y, colours) {
    context.strokeStyle = colours.line;
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(0, Math.round(y) + 0.5);
    context.lineTo(this.width, Math.round(y) + 0.5);
    context.stroke();
  }

  buckets() {
    const seconds = this.width < 520 ? BUCKET_NARROW_S : BUCKET_WIDE_S;
    const found = new Map();
    for (const sample of this.samples.samples) {
      const start = Math.floor(sample.time / (seconds * SECOND)) * seconds * SECOND;
      let bucket = found.get(start);
      if (!bucket) found.set(start, bucket = {start, joins: 0, returns: 0, leaves: 0, closes: 0});
      for (const member of ['joins', 'returns', 'leaves', 'closes']) bucket[member] += sample[member] || 0;
    }
    return {seconds, list: [...found.values()]};
  }

  drawChanges(context, lane, colours) {
    const {seconds, list} = this.buckets();
    let up = 0;
    let down = 0;
    for (const bucket of list) {
      up = Math.max(up, bucket.joins + bucket.returns);
      down = Math.max(down, bucket.leaves + bucket.closes);
    }
    const top = niceAbove(Math.max(up, down, 1));
    const middle = lane.top + lane.height / 2;
    const scale = (lane.height / 2) / top;
    const width = Math.max(1, this.x(this.end) - this.x(this.end - seconds * SECOND) - 1);
    // However small a change is beside the greatest one, it shows.
    const tall = (value) => (value ? Math.max(1.5, value * scale) : 0);
    const bar = (x, from, height, colour) => {
      context.fillStyle = colours[colour];
      context.fillRect(x, from, width, height);
    };
    for (const bucket of list) {
      const x = this.x(bucket.start);
      const joins = tall(bucket.joins);
      const leaves = tall(bucket.leaves);
      bar(x, middle - joins, joins, 'alive');
      bar(x, middle - joins - tall(bucket.returns), tall(bucket.returns), 'return');
      bar(x, middle, leaves, 'leave');
      bar(x, middle + leaves, tall(bucket.closes), 'close');
    }
    this.baseline(context, middle, colours);
    this.label(context, lane, 'came ↑  went ↓', `${count(top)} in ${seconds} s`, colours, 'muted');
  }

  drawRestarts(context, lanes, colours) {
    for (const at of this.samples.restarts) {
      const x = Math.round(this.x(at)) + 0.5;
      context.strokeStyle = colours.text;
      context.setLineDash([3, 3]);
      context.beginPath();
      context.moveTo(x, lanes.daemon.top);
      context.lineTo(x, lanes.bottom);
      context.stroke();
      context.setLineDash([]);
      context.fillStyle = colours.text;
      context.textAlign = x > 60 ? 'right' : 'left';
      context.fillText('restart', x + (x > 60 ? -4 : 4), lanes.alive.top + 8);
    }
  }

  drawPointer(context, lanes, colours) {
    if (this.pointed === null) return;
    const x = Math.round(this.x(this.pointed)) + 0.5;
    context.strokeStyle = colours.text;
    context.globalAlpha = 0.6;
    context.beginPath();
    context.moveTo(x, 0);
    context.lineTo(x, lanes.bottom);
    context.stroke();
    context.globalAlpha = 1;
  }

  // --- what it says in words ---

  makeLegend() {
    const made = {};
    for (const [key, name] of [['joins', 'joins'], ['returns', 'returns'], ['leaves', 'leaves'], ['closes', 'closes']]) {
      const item = element('span', 'legend ' + key);
      item.append(element('i'), element('b', '', '–'), ' ' + name);
      made[key] = item.querySelector('b');
      this.readout.append(item);
    }
    made.when = element('span', 'legend when');
    this.readout.append(made.when);
    return made;
  }

  tell() {
    const sample = this.pointed === null ? null : this.nearest(this.pointed);
    const sum = (member) => (sample ? sample[member] || 0 : this.samples.sum(member));
    for (const member of ['joins', 'returns', 'leaves', 'closes']) setText(this.legend[member], count(sum(member)));
    let when = '';
    if (sample) {
      const stalled = sample.stalled_ms ? ', daemon stalled ' + exactSpan(sample.stalled_ms) : '';
      when = `${clock(sample.time)}: ${count(sample.alive)} alive, ${count(sample.leave)} in leave${stalled}`;
    } else if (this.pointed !== null) {
      when = clock(this.pointed) + ': nothing known';
    }
    setText(this.legend.when, when);
  }

  nearest(time) {
    let best = null;
    for (const sample of this.samples.samples) {
      if (!best || Math.abs(sample.time - time) < Math.abs(best.time - time)) best = sample;
    }
    return best && Math.abs(best.time - time) < 3 * SECOND ? best : null;
  }
}

// The least round number that is not below; a lane is full at it.
function niceAbove(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  for (const step of [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10]) {
    const nice = step * power;
    if (nice >= value && (power > 1 || Number.isInteger(nice))) return nice;
  }
  return 10 * power;
}
