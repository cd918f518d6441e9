/** What is still to come of a deployment: the means of what is done, laid end to end from now. */
import type { Run } from './run';
import type { Kind, Row, Step } from './story';
import { seconds } from './words';

export interface Part {
  kind: Kind;
  from: number;
  to: number;
}

export interface Planned {
  number: number;
  from: number;
  to: number;
  /** The batch has not begun. */
  whole: boolean;
  parts: Part[];
}

export interface Forecast {
  planned: Planned[];
  /** The counts to come, from the last one on. */
  ahead: Step[];
  /** When it will be over, as far as one can tell. */
  expectedEnd: number | null;
}

const PHASES: readonly Kind[] = ['launch', 'health', 'drain', 'terminate'];
const ASSUMED: Readonly<Record<string, number>> = { launch: 60, health: 90, terminate: 45 };

export function forecast(run: Run, rows: readonly Row[], last: Step): Forecast {
  if (run.end !== null) return { planned: [], ahead: [last], expectedEnd: null };
  const took = means(run, rows);
  const isBack = rows.some((row) => row.back);
  const planned: Planned[] = [];
  const ahead = [last];
  let { at, blue, green } = last;
  for (const row of rows) {
    if (row.done || row.failure || row.cut || (isBack && !row.back)) continue;
    const parts = partsOf(row, at, took);
    if (parts.length === 0) continue;
    const health = parts.find((part) => part.kind === 'health');
    if (health) {
      const [comes, goes] = [row.green - row.healthy, row.blue];
      blue = Math.max(0, blue + (row.back ? comes : -goes));
      green = Math.max(0, green + (row.back ? -goes : comes));
      ahead.push({ at: health.to, blue, green });
    }
    const [from, to] = [at, parts.at(-1)?.to ?? at];
    planned.push({ number: row.number, from, to, whole: !row.begun, parts });
    at = to + 2;
  }
  ahead.push({ at, blue, green });
  // What the API says holds: the drawing is laid out from what its own batches took.
  const told = run.deployment.expectedEndAt;
  return { planned, ahead, expectedEnd: told ? seconds(told) : at };
}

function partsOf(row: Row, now: number, took: Readonly<Record<string, number>>): Part[] {
  const live = row.live?.kind;
  if (live === 'gate' || live === 'bake') return [];
  const phases = PHASES.slice(Math.max(0, live ? PHASES.indexOf(live) : 0));
  let at = now;
  return phases.map((kind) => {
    const usual = took[kind] ?? 0;
    const left = row.live && kind === live ? Math.max(8, usual - (now - row.live.from)) : usual;
    const part = { kind, from: at, to: at + left };
    at += left;
    return part;
  });
}

function means(run: Run, rows: readonly Row[]): Record<string, number> {
  const drain = run.deployment.parameters.drainingTimeout;
  const found: Record<string, number> = { ...ASSUMED, drain };
  for (const kind of PHASES) {
    const bars = rows.flatMap((row) => row.bars.filter((bar) => bar.kind === kind && !bar.live));
    if (bars.length) found[kind] = bars.reduce((sum, bar) => sum + bar.to - bar.from, 0) / bars.length;
  }
  return found;
}
