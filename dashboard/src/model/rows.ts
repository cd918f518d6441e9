/** The rows of the timeline in words: what each says at its end, and to whoever cannot see it. */
import type { Kind, Row, Story } from './story';
import type { Planned } from './forecast';
import { clock, counted, counter, sum } from './words';

export const KIND: Readonly<Record<Kind, string>> = {
  launch: 'launch',
  health: 'health',
  drain: 'drain',
  terminate: 'delete',
  discard: 'discard',
  gate: 'approval',
  pause: 'paused',
  bake: 'bake',
};

export const DOING: Readonly<Record<Kind, string>> = {
  launch: 'launching',
  health: 'checking health',
  drain: 'draining',
  terminate: 'deleting',
  discard: 'discarding',
  gate: 'waiting for approval',
  pause: 'paused',
  bake: 'baking',
};

/** A deployment of more batches shows those that are done in one row. */
const FOLDED_ABOVE = 14;

export interface Shape {
  /** Batches in one row: more than one are those that are done. */
  rows: Row[];
}

/** The rows to draw, forward or back. */
export function shapes(rows: readonly Row[]): Shape[] {
  if (rows.length <= FOLDED_ABOVE) return rows.map((row) => ({ rows: [row] }));
  const begun = rows.findIndex((row) => !row.done);
  const done = begun < 0 ? rows.length - 2 : begun - 1;
  if (done < 2) return rows.map((row) => ({ rows: [row] }));
  return [{ rows: rows.slice(0, done) }, ...rows.slice(done).map((row) => ({ rows: [row] }))];
}

export const hasBegun = (row: Row, story: Story): boolean =>
  row.bars.length > 0 || story.planned.some((one) => one.number === row.number);

/** Where a batch stands, in words. */
export function phase(row: Row, over: boolean): string {
  if (row.failure) return 'failed';
  if (row.live) return DOING[row.live.kind];
  if (row.done) return row.remaining ? `done, ${row.remaining} blue kept` : 'done';
  if (row.cut) return 'cut short';
  return over ? 'not begun' : 'planned';
}

/** What a screen reader says of a row. */
export function spoken(row: Row, planned: Planned | undefined): string {
  const bars = row.bars.map(
    (bar) => `${KIND[bar.kind]} ${clock(bar.from, true)} to ${bar.live ? 'now' : clock(bar.to, true)}`,
  );
  const ahead = planned ? `planned for about ${clock(planned.from)}` : 'not begun';
  return `Batch ${row.number}: ${bars.join(', ') || ahead}`;
}

/** What a tooltip says: a heading, and names with their values. */
export interface Tip {
  head: string;
  facts: [string, string][];
}

export function tipOf(row: Row): Tip {
  const head = `Batch ${row.number}${row.canary ? ' (canary)' : ''}: ${row.blue} blue, ${row.green} green`;
  const facts = row.bars.map((bar): [string, string] => {
    const took = counter(bar.to - bar.from);
    return [KIND[bar.kind], `${clock(bar.from, true)}, ${bar.live ? `for ${took}` : took}`];
  });
  return { head, facts };
}

/** Those that were never begun, in one sentence. */
export function notBegun(rows: readonly Row[]): string {
  const [first, last] = [rows[0], rows.at(-1)];
  if (!first || !last) return '';
  const which = first === last ? `Batch ${first.number} was` : `Batches ${first.number} to ${last.number} were`;
  const vms = sum(rows, (row) => row.blue);
  return `${which} not begun: ${counted(vms, 'VM')} ${vms === 1 ? 'runs' : 'run'} as before`;
}
