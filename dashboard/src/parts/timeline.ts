/** Batches against time, and beneath them how many VMs serve. The plan, the run and the roll back are one drawing. */
import { html, nothing, type TemplateResult } from 'lit-html';
import { scale, ticks, type Scale } from '../model/geometry';
import type { Run } from '../model/run';
import { DOING, hasBegun, KIND, notBegun, shapes, spoken, tipOf } from '../model/rows';
import type { Bar, Kind, Row, Story } from '../model/story';
import { about, clock, counted, counter, sum } from '../model/words';
import { icon } from './marks';
import { counts } from './serving';
import { vars } from './vars';

export interface TimelineOptions {
  /** Of a plan: minutes from its start, and no past. */
  relative?: boolean;
  /** For how many seconds nothing was heard. */
  lost?: number;
}

/** What the parts of one drawing share. */
interface Drawing extends TimelineOptions {
  run: Run;
  story: Story;
  by: Scale;
  now: number;
}

const SHOWN: readonly Kind[] = ['launch', 'health', 'drain', 'terminate'];
const SOMETIMES: readonly Kind[] = ['discard', 'gate', 'pause', 'bake'];

export function legend(run: Run, story: Story): TemplateResult {
  const found = new Set(story.rows.flatMap((row) => row.bars.map((bar) => bar.kind)));
  const kinds = [...SHOWN, ...SOMETIMES.filter((kind) => found.has(kind))];
  const entry = (look: string, word: string): TemplateResult => html`<span><i class="k ${look}"></i>${word}</span>`;
  return html`<div class="legend" role="group" aria-label="Legend">
    ${kinds.map((kind) => entry(kind, KIND[kind]))}${run.end === null ? entry('fc', 'forecast') : nothing}
  </div>`;
}

export function timeline(run: Run, story: Story, options: TimelineOptions = {}): TemplateResult {
  const last = Math.max(run.now, story.expectedEnd ?? 0);
  const from = run.start - (options.relative ? 0 : 4);
  const to = run.end !== null ? run.end + 6 : last + (last - run.start) * 0.015;
  const drawing: Drawing = { ...options, run, story, by: scale(from, to, story.waits), now: run.end ?? run.now };
  const forward = story.rows.filter((row) => !row.back && hasBegun(row, story));
  const back = story.rows.filter((row) => row.back);
  const idle = story.rows.filter((row) => !row.back && !hasBegun(row, story));
  return html`<div class="tl ${options.relative ? 'rel' : ''}" role="group" aria-label="Batches against time">
    ${grid(drawing, from, to)}
    <div class="tl-axis"></div>
    <div role="list">${shapes(forward).map((shape) => row(drawing, shape.rows))}</div>
    ${idle.length ? html`<div class="tl-none"><span>${notBegun(idle)}</span></div>` : nothing}
    ${back.length || run.rollBack ? rollBack(drawing, back) : nothing} ${counts(run, story, drawing.by, options)}
  </div>`;
}

function grid(drawing: Drawing, from: number, to: number): TemplateResult {
  const { run, story, by, now, relative, lost } = drawing;
  const live = run.end === null && !relative;
  const at = by.x(now);
  const marks = ticks(relative ? 0 : from, relative ? to - from : to, relative ? shifted(by, from) : by);
  const label = (tick: number, isLast: boolean): string =>
    relative ? `${Math.round(tick / 60)}${isLast ? ' min' : ''}` : clock(tick, by.span < 240);
  const x = (tick: number): number => by.x(relative ? tick + from : tick);
  const rises = story.steps.filter((step, i) => {
    const before = story.steps[i - 1];
    return before && i < story.steps.length - 1 && step.blue + step.green > before.blue + before.green;
  });
  return html`<div class="tl-grid" aria-hidden="true">
    ${live ? html`<div class="beyond" ${vars({ x: at })}></div>` : nothing}
    ${marks.map(
      (tick, i) =>
        html`<i class="tick ${i % 2 ? 'minor' : ''}" ${vars({ x: x(tick) })}
          ><span ?hidden=${live && Math.abs(x(tick) - at) < 0.1}>${label(tick, i === marks.length - 1)}</span></i
        >`,
    )}
    ${rises.map((step) => html`<i class="drop" ${vars({ x: by.x(step.at) })}></i>`)}
    ${by.cuts.map(
      (wait) =>
        html`<div class="brk" ${vars({ a: by.x(wait.from), b: by.x(wait.to) })}>
          <span>waited<br />${about(wait.to - wait.from)}</span>
        </div>`,
    )}
    ${lost ? html`<div class="unknown" ${vars({ a: at, b: by.x(now + lost) })}><span>no news</span></div>` : nothing}
    ${live
      ? html`<div class="nowline ${at > 0.9 ? 'late' : ''}" ${vars({ x: at })}>
          <span>${lost ? 'last seen' : 'now'} ${clock(now)}</span>
        </div>`
      : nothing}
  </div>`;
}

/** The same scale, from 0 on. */
function shifted(by: Scale, from: number): Scale {
  return { ...by, x: (at) => by.x(at + from), inCut: (at) => by.inCut(at + from) };
}

function row(drawing: Drawing, rows: readonly Row[]): TemplateResult {
  const [first, last] = [rows[0], rows.at(-1)];
  if (!first || !last) return html``;
  if (first !== last) return folded(drawing, rows, first, last);
  const { story } = drawing;
  const planned = story.planned.find((one) => one.number === first.number);
  const live = first.live?.kind;
  const look = [
    live ? 'cur' : '',
    live === 'health' ? 'tall' : '',
    live === 'gate' ? 'warnrow' : '',
    first.failure ? 'failrow' : '',
  ];
  return html`<div
    class="tl-row ${look.join(' ')}"
    tabindex="0"
    role="listitem"
    aria-label=${spoken(first, planned)}
    data-tip
    .tip=${tipOf(first)}
  >
    <div class="tl-lab">
      ${first.back ? icon('undo') : nothing}<span><span class="long">Batch </span><b>${first.number}</b></span
      ><span class="mute long small">${first.canary ? 'canary' : counted(first.green, 'VM')}</span>
    </div>
    <div class="tl-plot">
      ${first.bars.map((bar) => barOf(drawing, first, bar))}${ahead(drawing, first)}${grace(drawing, first)}
      ${first.failure ? html`<i class="mark" ${vars({ x: drawing.by.x(first.failure.at) })}>${icon('x')}</i>` : nothing}
    </div>
    <div class="tl-out">${outcome(drawing, first)}</div>
  </div>`;
}

function folded(drawing: Drawing, rows: readonly Row[], first: Row, last: Row): TemplateResult {
  const vms = sum(rows, (one) => one.green);
  const words = `Batches ${first.number} to ${last.number}: done, ${counted(vms, 'VM')}`;
  return html`<div class="tl-row" tabindex="0" role="listitem" aria-label=${words}>
    <div class="tl-lab">
      <span><span class="long">Batches </span><b>${first.number}–${last.number}</b></span>
    </div>
    <div class="tl-plot">${rows.flatMap((one) => one.bars.map((bar) => barOf(drawing, one, bar)))}</div>
    <div class="tl-out">${icon('check')}<span>${counted(vms, 'VM')}</span></div>
  </div>`;
}

const barOf = ({ by }: Drawing, of: Row, bar: Bar): TemplateResult =>
  html`<div
    class="seg ${bar.kind} ${of.back ? 'bk' : ''} ${bar.live ? 'live' : ''}"
    ${vars({ a: by.x(bar.from), b: by.x(bar.to) })}
  >
    <span>${bar.kind === 'gate' ? 'waiting' : KIND[bar.kind]}</span>
  </div>`;

function ahead({ story, by, relative }: Drawing, of: Row): unknown {
  const planned = story.planned.find((one) => one.number === of.number);
  if (!planned) return nothing;
  if (relative)
    return planned.parts.map(
      (part) =>
        html`<div class="seg ${part.kind}" ${vars({ a: by.x(part.from), b: by.x(part.to) })}>
          <span>${KIND[part.kind]}</span>
        </div>`,
    );
  return html`<div class="seg fc ${of.back ? 'bk' : ''}" ${vars({ a: by.x(planned.from), b: by.x(planned.to) })}>
    ${planned.whole ? html`<span>${counted(of.green, 'VM')}</span>` : nothing}
  </div>`;
}

function grace({ run, by, now }: Drawing, of: Row): unknown {
  const live = of.live;
  if (live?.kind !== 'health' || !Number.isFinite(live.until)) return nothing;
  const [start, end] = [by.x(live.from), by.x(live.until)];
  const share = (now - live.from) / run.deployment.gracePeriod;
  const place = { a: start, b: end, f: `${Math.min(100, share * 100).toFixed(1)}%` };
  return html`<div class="grace ${end > 0.74 ? 'in' : ''} ${share > 0.75 ? 'late' : ''}" ${vars(place)}>
    <i></i><span><span class="long">grace period </span>ends ${clock(live.until, true)}</span>
  </div>`;
}

function outcome({ story, relative, lost }: Drawing, of: Row): unknown {
  if (of.failure) return html`${icon('cross')}<b class="badtext">failed</b>`;
  if (of.live?.kind === 'gate') return html`${icon('hand')}waiting`;
  if (of.live) return html`${lost ? icon('plug') : icon('progress', 'spin')}<b>${DOING[of.live.kind]}</b>`;
  if (of.cut) return html`${icon('undo')}cut short`;
  if (of.done) {
    const kept = of.remaining ? `, ${of.remaining} blue kept` : '';
    return html`${icon('check')}<span>${counter(of.done - (of.begun ?? of.done))}${kept}</span>`;
  }
  const planned = story.planned.find((one) => one.number === of.number);
  if (!planned) return nothing;
  const words = relative ? about(planned.to - planned.from) : clock(planned.from);
  return html`<span class="mute">≈ ${words}</span>`;
}

function rollBack(drawing: Drawing, rows: readonly Row[]): TemplateResult {
  const { run } = drawing;
  const at = run.rollBack ? ` from ${run.rollBack.percent} %` : '';
  return html`<div class="tl-sep">
      ${icon('undo')}<b>${run.end === null ? 'Rolling back' : 'Rolled back'}${at}</b><span>${run.rollBack?.why}</span>
    </div>
    <div role="list">${shapes(rows).map((shape) => row(drawing, shape.rows))}</div>`;
}
