/** What is still to come of a deployment: the means of what is done, laid end to end from now. */
import type { Run } from './run';
import { length, type Kind, type Row, type Step } from './story';
import { mean, seconds } from './words';

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

/** How long each phase takes. */
export type Took = Readonly<Partial<Record<Kind, number>>>;

const PHASES = ['launch', 'health', 'drain', 'terminate'] as const;

export function forecast(run: Run, rows: readonly Row[], last: Step): Forecast {
  if (run.end !== null) return { planned: [], ahead: [last], expectedEnd: null };
  const isBack = rows.some((row) => row.back);
  const left = rows.filter((row) => !row.done && !row.failure && !row.cut && row.back === isBack);
  const laid = layOut(left, last, means(run, rows));
  // What the API says holds: the drawing is laid out from what its own batches took.
  const told = run.deployment.expectedEndAt;
  return told ? { ...laid, expectedEnd: seconds(told) } : laid;
}

/** Batches one after the other, and how many VMs serve once each is healthy. */
export function layOut(rows: readonly Row[], last: Step, took: Took): Forecast & { expectedEnd: number } {
  const planned: Planned[] = [];
  const ahead = [last];
  let { at, blue, green } = last;
  for (const row of rows) {
    const parts = partsOf(row, at, took);
    const health = parts.find((part) => part.kind === 'health');
    if (health) {
      const [comes, goes] = [row.green - row.healthy, row.blue];
      blue = Math.max(0, blue + (row.back ? comes : -goes));
      green = Math.max(0, green + (row.back ? -goes : comes));
      ahead.push({ at: health.to, blue, green });
    }
    const to = parts.at(-1)?.to;
    if (to === undefined) continue;
    planned.push({ number: row.number, from: at, to, whole: !row.begun, parts });
    at = to + 2;
  }
  ahead.push({ at, blue, green });
  return { planned, ahead, expectedEnd: at };
}

function partsOf(row: Row, now: number, took: Took): Part[] {
  const live = row.live?.kind;
  if (live === 'gate' || live === 'bake') return [];
  const phases = PHASES.slice(
    Math.max(
      0,
      PHASES.findIndex((kind) => kind === live),
    ),
  );
  let at = now;
  return phases.map((kind) => {
    const usual = took[kind] ?? 0;
    const left = row.live && kind === live ? Math.max(8, usual - (now - row.live.from)) : usual;
    const part = { kind, from: at, to: at + left };
    at += left;
    return part;
  });
}

function means(run: Run, rows: readonly Row[]): Took {
  const found = { launch: 60, health: 90, drain: run.deployment.parameters.drainingTimeout, terminate: 45 };
  for (const kind of PHASES) {
    const bars = rows.flatMap((row) => row.bars.filter((bar) => bar.kind === kind && !bar.live));
    if (bars.length) found[kind] = mean(bars, length);
  }
  return found;
}
