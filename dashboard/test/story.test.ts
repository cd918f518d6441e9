import assert from 'node:assert/strict';
import { test } from 'node:test';
import { line, area, corners, labels, scale, ticks } from '../src/model/geometry';
import { story, type Row } from '../src/model/story';
import { shapes } from '../src/model/rows';
import { waiting } from '../src/model/waiting';
import { health, present } from '../src/model/health';
import { makeRun } from '../src/model/run';
import { captured, runAt, runOf } from './captured';

const kinds = (row: Row | undefined): string => (row?.bars ?? []).map((bar) => bar.kind).join(' ');

test('each batch of a good deployment is launched, judged, drained and deleted, one after the other', () => {
  const of = story(runOf('finished'));
  assert.deepEqual(of.rows.map(kinds), Array(5).fill('launch health drain terminate'));
  const bars = of.rows.flatMap((row) => row.bars);
  assert.ok(bars.every((bar, i) => i === 0 || bar.from >= (bars[i - 1]?.to ?? 0)));
  assert.deepEqual([of.planned, of.expectedEnd], [[], null]);
});

test('as many serve at each step as the set is to have, or more', () => {
  for (const name of ['finished', 'rolledback', 'sick', 'failed'] as const) {
    const run = runOf(name);
    const of = story(run);
    assert.ok(
      of.steps.every((step) => step.blue + step.green >= run.size),
      name,
    );
  }
  const last = story(runOf('finished')).steps.at(-1);
  assert.deepEqual([last?.blue, last?.green], [0, 10]);
});

test('a batch that fails ends with what is discarded, and those after it never begin', () => {
  const run = runOf('failed');
  const of = story(run);
  assert.equal(kinds(of.rows[0]), 'launch health discard');
  assert.match(of.rows[0]?.failure?.message ?? '', /0 of 2 green VMs healthy/);
  assert.deepEqual(of.rows.slice(1).map(kinds), ['', '', '', '']);
  assert.deepEqual([of.steps.at(-1)?.blue, of.steps.at(-1)?.green], [10, 0]);
});

test('sick VMs that are replaced are a second round in the same row', () => {
  assert.equal(kinds(story(runOf('sick')).rows[0]), 'launch health discard launch health drain terminate');
});

test('a roll back is told with why and when, and its colours go by image', () => {
  const run = runOf('rolledback');
  const of = story(run);
  assert.equal(of.rollBack?.percent, 41);
  assert.match(of.rollBack?.why ?? '', /p95 went up/);
  assert.deepEqual(
    of.rows.filter((row) => row.back).map((row) => row.number),
    [7, 8, 9],
  );
  assert.equal(of.rows[2]?.cut, true);
  assert.deepEqual([of.steps.at(-1)?.blue, of.steps.at(-1)?.green], [6, 0]);
  const back = run.vms.filter((vm) => vm.batch >= 7);
  assert.ok(back.every((vm) => vm.side === (vm.comes ? 'blue' : 'green')));
});

test('a deployment under way has a live bar, its grace period, and a forecast from its own means', () => {
  const run = runAt('finished', 15);
  const of = story(run);
  const live = of.rows[2]?.live;
  assert.deepEqual([live?.kind, live && live.until - live.from], ['health', 300]);
  assert.deepEqual(
    of.planned.map((one) => [one.number, one.whole]),
    [
      [3, false],
      [4, true],
      [5, true],
    ],
  );
  assert.deepEqual([of.ahead.at(-1)?.blue, of.ahead.at(-1)?.green], [0, 10]);
  const each = (of.planned[1]?.to ?? 0) - (of.planned[1]?.from ?? 0);
  assert.ok(Math.abs(each - 280) < 15, `${each}`);
});

test('a drain that is over has become the deletion', () => {
  const of = story(runAt('finished', 17, 130));
  assert.equal(of.rows[2]?.live?.kind, 'terminate');
  assert.equal(kinds(of.rows[2]), 'launch health drain terminate');
});

test('what is waited for says until when and what happens then', () => {
  const gate = runOf('approval', 600);
  assert.deepEqual(
    [waiting(gate, story(gate)).what, waiting(gate, story(gate)).then],
    ['Somebody’s approval', 'If nobody answers, it stops: VMs stay as they are.'],
  );
  const judged = runAt('finished', 15);
  assert.match(
    waiting(judged, story(judged)).then,
    /Below 50 % healthy the batch then fails, and its green VMs are deleted/,
  );
});

test('a long wait for people is cut to a fixed width', () => {
  const by = scale(0, 10_000, [{ from: 100, to: 9_000 }]);
  assert.equal(by.cuts.length, 1);
  assert.ok(Math.abs(by.x(9_000) - by.x(100) - 0.13) < 1e-3);
  assert.deepEqual([by.x(0), by.x(10_000)], [0, 1]);
  assert.deepEqual(scale(0, 10_000, [{ from: 100, to: 300 }]).cuts, []);
});

test('ticks are round times, at most eight', () => {
  for (const length of [50, 700, 4_000, 90_000, 900_000]) {
    const found = ticks(7, 7 + length, scale(7, 7 + length, []));
    assert.ok(found.length >= 1 && found.length <= 8, `${length}: ${found.length}`);
  }
});

test('outlines go from corner to corner', () => {
  const by = scale(0, 100, []);
  const up = corners(
    [
      { at: 0, blue: 2, green: 0 },
      { at: 50, blue: 0, green: 1 },
    ],
    by,
    (step) => step.blue + step.green,
  );
  assert.equal(line(up, 2), 'M0 0L500 0L500 50');
  assert.equal(
    area(
      up,
      [
        [0, 0],
        [0.5, 0],
      ],
      2,
    ),
    'M0 0L500 0L500 50L500 100L0 100Z',
  );
  const at = labels(0, 10, 10);
  assert.ok(at.blue - at.green >= 2);
});

test('many batches fold those that are done into one row', () => {
  const row = story(runOf('finished')).rows[0] as Row;
  const rows = Array.from({ length: 20 }, (_, i) => ({ ...row, number: i + 1, done: i < 12 ? row.done : null }));
  const drawn = shapes(rows);
  assert.deepEqual(
    drawn.map((one) => one.rows.length),
    [11, ...Array(9).fill(1)],
  );
  assert.equal(shapes(rows.slice(0, 14)).length, 14);
});

test('a VM that others made is there, and counts on no side', () => {
  const details = captured('finished');
  const [vm] = details.vms;
  assert.ok(vm);
  details.vms.push({ ...vm, vmId: 'others', color: null, batch: 0, status: 'unhealthy', reason: '', readings: [] });
  const [run, before] = [makeRun(details, 0), runOf('finished')];
  assert.equal(run.vms.at(-1)?.side, 'others');
  assert.deepEqual([present(run), health(run, story(run))], [present(before), health(before, story(before))]);
});
