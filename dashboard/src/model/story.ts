/** The story of a deployment: its events folded into bars, and into the counts of VMs that serve. */
import type { Batch } from '../api/types';
import { forecast, type Forecast } from './forecast';
import { number, type Happened, type Run } from './run';
import { seconds } from './words';

export type Kind = 'launch' | 'health' | 'drain' | 'terminate' | 'discard' | 'gate' | 'pause' | 'bake';

export interface Bar {
  kind: Kind;
  from: number;
  to: number;
  live: boolean;
}

/** A bar that has no end yet; `until` is when its drain is over, or its grace period. */
export interface Open {
  kind: Kind;
  from: number;
  until: number;
}

export interface Row extends Batch {
  bars: Bar[];
  open: Open | null;
  /** Its open bar, where the deployment goes on. */
  live: Open | null;
  begun: number | null;
  done: number | null;
  healthy: number;
  remaining: number;
  failure: Happened | null;
  /** A roll back came in its midst. */
  cut: boolean;
}

/** From a time on: so many blue and green VMs serve. */
export interface Step {
  at: number;
  blue: number;
  green: number;
}

export interface Wait {
  from: number;
  to: number;
}

export const length = (of: Wait): number => of.to - of.from;

export interface Story extends Forecast {
  rows: Row[];
  steps: Step[];
  waits: Wait[];
}

/** A deployment, or a plan, with its story: what every drawing is made of. */
export interface Drawn {
  run: Run;
  story: Story;
}

/** What the fold goes through the events with. */
interface Fold {
  run: Run;
  rows: Map<number, Row>;
  current: Row | null;
  blue: number;
  green: number;
  steps: Step[];
  waits: Wait[];
  pause: number | null;
}

export function story(run: Run): Story {
  const fold = begin(run);
  for (const event of run.events) {
    fold.current = (event.batch ? fold.rows.get(event.batch) : null) ?? fold.current;
    HAPPENS[event.type]?.(fold, event, fold.current);
    served(fold, event);
  }
  const stop = run.end ?? run.now;
  if (fold.pause !== null) pauseEnds(fold, stop);
  const waiting = fold.waits.at(-1);
  if (waiting && waiting.to === Infinity) waiting.to = stop;
  for (const row of fold.rows.values()) cutOff(row, stop, run.end === null);
  count(fold, stop);
  const rows = [...fold.rows.values()];
  const { steps, waits } = fold;
  return { rows, steps, waits, ...forecast(run, rows, { at: stop, blue: fold.blue, green: fold.green }) };
}

function begin(run: Run): Fold {
  const rows = new Map(run.batches.map((batch) => [batch.number, makeRow(batch)]));
  const [blue, green] = [Math.max(0, run.size - run.kept), run.kept];
  const steps = [{ at: run.start, blue, green }];
  return { run, rows, current: null, blue, green, steps, waits: [], pause: null };
}

export function makeRow(batch: Batch): Row {
  const nothing = { open: null, live: null, begun: null, done: null, failure: null };
  return { ...batch, ...nothing, bars: [], healthy: 0, remaining: 0, cut: false };
}

type Happens = (fold: Fold, event: Happened, row: Row | null) => void;

const HAPPENS: Readonly<Record<string, Happens>> = {
  BatchStarted: onRow((_fold, event, row) => {
    row.begun ??= event.at;
    open(row, 'launch', event.at);
  }),
  BatchLaunched: onRow((fold, event, row) => {
    open(row, 'health', event.at, event.at + fold.run.deployment.gracePeriod);
  }),
  BatchHealthy: onRow((fold, event, row) => good(fold, event, row, number(event.data.healthy))),
  BatchNotJudged: onRow((fold, event, row) => good(fold, event, row, number(event.data.running))),
  SickGreenDiscarded: onRow((_fold, event, row) => open(row, 'launch', event.at)),
  BatchDetached: onRow((fold, event, row) => {
    row.remaining = number(event.data.remaining);
    const wait = Math.max(fold.run.deployment.parameters.drainingTimeout, number(event.data.gatewayDraining));
    if (row.open) row.open.until = event.at + wait;
  }),
  BatchTerminated: onRow((_fold, event, row) => {
    if (row.open && typeof event.data.deletingAt === 'string') row.open.until = seconds(event.data.deletingAt);
    close(row, event.at);
    row.done = event.at;
  }),
  BatchFailed: onRow((_fold, event, row) => {
    open(row, 'discard', event.at);
    row.failure = event;
  }),
  GreenDiscarded: onRow((_fold, event, row) => close(row, event.at)),
  GreenKept: onRow((_fold, event, row) => close(row, event.at)),
  DeploymentRollingBack: onRow((_fold, event, row) => {
    if (!row.open) return;
    open(row, 'discard', event.at);
    row.cut = true;
  }),
  ApprovalAwaited: onRow((fold, event, row) => waits(fold, event, row, 'gate')),
  DeploymentApproved: onRow((fold, event, row) => goesOn(fold, event, row)),
  BakeStarted: onRow((_fold, event, row) => open(row, 'bake', event.at, event.at + number(event.data.seconds))),
  Baked: onRow((_fold, event, row) => close(row, event.at)),
  DeploymentPaused: (fold, event) => {
    fold.pause = event.at;
    fold.waits.push({ from: event.at, to: Infinity });
  },
  DeploymentResumed: (fold, event) => pauseEnds(fold, event.at),
};

/** So many of its green VMs are good to go on with. */
function good(fold: Fold, event: Happened, row: Row, vms: number): void {
  row.healthy = vms;
  const drained = event.at + fold.run.deployment.parameters.drainingTimeout;
  open(row, event.data.replace ? 'discard' : 'drain', event.at, drained);
}

function onRow(happens: (fold: Fold, event: Happened, row: Row) => void): Happens {
  return (fold, event, row) => {
    if (row) happens(fold, event, row);
  };
}

function waits(fold: Fold, event: Happened, row: Row, kind: Kind): void {
  open(row, kind, event.at);
  fold.waits.push({ from: event.at, to: Infinity });
}

function goesOn(fold: Fold, event: Happened, row: Row): void {
  close(row, event.at);
  const wait = fold.waits.at(-1);
  if (wait) wait.to = event.at;
}

function pauseEnds(fold: Fold, at: number): void {
  if (fold.pause === null) return;
  fold.current?.bars.push({ kind: 'pause', from: fold.pause, to: at, live: false });
  const wait = fold.waits.at(-1);
  if (wait) wait.to = at;
  fold.pause = null;
}

function count(fold: Fold, at: number): void {
  fold.steps.push({ at, blue: fold.blue, green: fold.green });
}

/** An event that changes how many serve says so; the plan says how many did before it. */
function served(fold: Fold, event: Happened): void {
  const told = event.data.serving as { previousImage: number; newImage: number } | undefined;
  if (!told) return;
  [fold.blue, fold.green] = [told.previousImage, told.newImage];
  if (event.type === 'DeploymentPlanned') fold.steps.pop();
  count(fold, fold.steps.length ? event.at : fold.run.start);
}

function open(row: Row, kind: Kind, from: number, until = Infinity): void {
  close(row, from);
  row.open = { kind, from, until };
}

function close(row: Row, at: number): void {
  if (!row.open) return;
  row.bars.push(...barsOf(row.open, at, false));
  row.open = null;
}

/** A drain that is over has become the deletion. */
function barsOf(bar: Open, at: number, live: boolean): Bar[] {
  const { kind, from, until } = bar;
  if (kind !== 'drain' || at <= until) return [{ kind, from, to: at, live }];
  return [
    { kind, from, to: until, live: false },
    { kind: 'terminate', from: until, to: at, live },
  ];
}

function cutOff(row: Row, at: number, live: boolean): void {
  if (!row.open) return;
  if (row.open.kind === 'drain' && row.deletingAt) row.open.until = seconds(row.deletingAt);
  const bars = barsOf(row.open, at, live);
  row.bars.push(...bars);
  const last = bars.at(-1);
  if (live && last) row.live = { kind: last.kind, from: last.from, until: row.open.until };
}
