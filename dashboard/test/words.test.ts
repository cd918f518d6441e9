import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Deployment, Group, ImageVersion } from '../src/api/types';
import { aftermath } from '../src/model/aftermath';
import { sameAgain } from '../src/model/again';
import {
  beginning,
  chosen,
  batchSizes,
  checkRule,
  drainRule,
  holds,
  imageChoices,
  judged,
  minHealthRule,
  sizesInWords,
} from '../src/model/form';
import { eventLook } from '../src/model/events';
import { prompt, rollNeeded } from '../src/model/groups';
import { filtered, rowAct } from '../src/model/history';
import { fromTo, imageName, label } from '../src/model/images';
import { pause } from '../src/model/pace';
import { parameters } from '../src/model/parameters';
import { present, rank } from '../src/model/health';
import { instanceLines } from '../src/model/instance-view';
import { shown, vmShown } from '../src/model/status';
import { story } from '../src/model/story';
import { timeLeft, waitsFor } from '../src/model/waiting';
import { about, ago, clock, counter, listed, moment, plain, utc } from '../src/model/words';
import { captured, runOf } from './captured';

const GALLERY = '/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/galleries/apps/images';

function group(changes: object = {}): Group {
  return {
    id: 'web',
    scaleSetId: '/x/web',
    imageId: `${GALLERY}/web`,
    healthCheckTypes: ['vmState', 'applicationHealth'],
    signals: [],
    drainingTimeout: null,
    defaults: {},
    imageRule: null,
    schedules: [],
    state: { location: 'eastus2', capacity: 10, image: '1.0.0', error: null },
    ...changes,
  } as unknown as Group;
}

test('durations are said as people say them', () => {
  assert.deepEqual([45, 720, 7690, 273_600].map(about), ['45 s', '12 min', '2 h 8 min', '3 d 4 h']);
  assert.deepEqual([3_599, 86_399].map(about), ['1 h', '24 h']);
  assert.deepEqual([0, 257, 3723].map(counter), ['0:00', '4:17', '1:02:03']);
  assert.deepEqual([ago(3), ago(120)], ['just now', '2 min ago']);
});

test('times are local, and exact in UTC', () => {
  const at = Date.parse('2026-11-28T20:58:03Z') / 1000;
  assert.deepEqual([clock(at), clock(at, true), utc(at)], ['20:58', '20:58:03', '2026-11-28 20:58:03 UTC']);
  assert.equal(moment(at, at + 60), 'today 20:58');
  assert.equal(moment(at, at + 86_400), 'Sat 28 Nov 20:58');
  assert.equal(moment(at, at + 40 * 86_400), 'Sat 28 Nov 2026 20:58');
});

test('what a VM wrote is shown with its control characters as codes', () => {
  assert.equal(plain('a\u001b[2Jb\u202ec\r\n\td\u0000'), 'a\\x1b[2Jb\\u202ec\n\td\\x00');
});

test('names are listed, and counted where they are many', () => {
  assert.deepEqual(
    [listed([]), listed(['a']), listed(['a', 'b', 'c']), listed(['a', 'b', 'c'], 2)],
    ['', 'a', 'a, b and c', 'a, b and 1 more'],
  );
});

test('images are said by version, with their names where they differ', () => {
  assert.deepEqual(
    [label(`${GALLERY}/web/versions/1.1.0`), label('canonical:ubuntu:22:latest'), label(null)],
    ['1.1.0', 'latest', 'unknown'],
  );
  assert.equal(imageName(`${GALLERY}/web/versions/1.1.0`), 'apps/web');
  const pinned = `${GALLERY}/web/versions/1.1.0`;
  assert.deepEqual(fromTo({ requested: '1.1.0', pinned, previous: `${GALLERY}/web/versions/1.0.0` }), {
    from: '1.0.0',
    to: '1.1.0',
  });
  assert.equal(
    fromTo({ requested: '1.1.0', pinned, previous: `${GALLERY}/old/versions/3.0.0` }).from,
    'apps/old 3.0.0',
  );
});

test('an open deployment is asked for each 5 s, after ten quiet minutes each 30 s, and lists each 30 s or 5 min', () => {
  const pace = { follows: true, live: true, quiet: 0, failures: 0 };
  assert.equal(pause(pace), 5);
  assert.equal(pause({ ...pace, quiet: 601 }), 30);
  assert.equal(pause({ ...pace, follows: false }), 30);
  assert.equal(pause({ ...pace, live: false }), 300);
  assert.deepEqual(
    [1, 2, 3, 4, 9].map((failures) => pause({ ...pace, failures })),
    [5, 10, 20, 30, 30],
  );
});

test('after a failure it says what happened, what is left and what to do', () => {
  const run = runOf('failed');
  const of = aftermath(run, story(run));
  assert.equal(of.happened, '0 of 2 green VMs healthy after 300 s, 0 %: below the 50 % asked.');
  assert.deepEqual([of.code, of.sick.map((vm) => vm.name)], ['batchUnhealthy', ['web_8', 'web_9']]);
  assert.deepEqual(of.left, [
    '10 VMs on 1.1.0, as before',
    '2 sick green VMs are deleted; evidence of all is kept',
    'Image 1.1.0 restored',
    'Restored: the scale-in policy',
    'The group is free for the next deployment',
  ]);
  assert.deepEqual(
    of.advice.map((one) => one.does),
    ['evidence', 'deploy', 'retryLonger'],
  );
});

test('trouble comes first among VMs', () => {
  const vms = [...runOf('failed').vms].sort((one, other) => rank(one) - rank(other));
  assert.ok(vms.slice(0, 2).every((vm) => vm.status === 'unhealthy'));
});

test('batches are drawn as the plan will say', () => {
  const known = { group: group(), retried: null };
  assert.deepEqual(batchSizes(10, {}, known), [2, 2, 2, 2, 2]);
  assert.deepEqual(batchSizes(10, { batchSizePercentage: 30 }, known), [3, 3, 2, 2]);
  assert.deepEqual(batchSizes(3, { batchSizePercentage: 25 }, known), [1, 1, 1]);
  assert.deepEqual(batchSizes(10, { batchSize: 4 }, known), [4, 3, 3]);
  assert.deepEqual(batchSizes(6, { canary: { size: 1 } }, known), [1, 1, 1, 1, 1, 1]);
  assert.equal(sizesInWords([3, 3, 2, 2], false), '4 batches of 2 or 3');
  assert.equal(sizesInWords([1, 3, 3], true), '3 batches of 3, a canary of 1 first');
});

test('a field shows what holds: what is asked, what was retried, the group’s, Teal’s', () => {
  const known = { group: group({ defaults: { gracePeriod: 300 }, drainingTimeout: 60 }), retried: null };
  assert.deepEqual(
    [holds('gracePeriod', {}, known), holds('drainingTimeout', {}, known), holds('batchSizePercentage', {}, known)],
    [300, 60, 20],
  );
  assert.equal(holds('gracePeriod', { gracePeriod: 450 }, known), 450);
  const retried = { parameters: { gracePeriod: 200 } } as unknown as Deployment;
  assert.equal(holds('gracePeriod', {}, { ...known, retried }), 200);
});

test('a check is open where the group defines it, and Min. Health where something judges', () => {
  assert.equal(checkRule('applicationHealth', group()), '');
  assert.equal(checkRule('loadBalancer', group()), 'not defined by the group');
  assert.equal(checkRule('vmState', group()), 'always looked at');
  const shutdown = group({ healthCheckTypes: [], signals: [{ type: 'vmReadyToShutdown', timeout: 300 }] });
  assert.match(minHealthRule(shutdown, []), /vmReadyToShutdown says nothing of health/);
  assert.equal(minHealthRule(group({ signals: [{ type: 'vmReady', timeout: 300 }] }), []), '');
  assert.equal(minHealthRule(group(), ['vmState']), '');
  assert.match(drainRule(shutdown), /replaces it: each VM is waited for, 300 s at most/);
  assert.ok(!judged(shutdown, []) && judged(group(), ['vmState']));
});

test('images that cannot be deployed say why', () => {
  const version = {
    version: '1.1.0',
    provisioningState: 'Succeeded',
    excludeFromLatest: false,
    osType: 'Linux',
    publishedAt: null,
    regions: { eastus2: 'Completed' },
    id: '',
  };
  const all = [
    version,
    { ...version, version: '1.2.0', regions: {} },
    { ...version, version: '1.3.0', regions: { eastus2: 'Replicating' } },
    { ...version, version: '1.0.0' },
  ];
  assert.deepEqual(
    imageChoices(all, group()).map((one) => [one.off, one.words]),
    [
      [false, '1.1.0'],
      [true, '1.2.0 · cannot be deployed: not in eastus2'],
      [true, '1.3.0 · cannot be deployed: not yet in eastus2'],
      [false, '1.0.0 · runs now'],
    ],
  );
});

test('the dialog begins with the newest image, and with the set’s own where the prompt asks for that', () => {
  const version = {
    version: '1.1.0',
    provisioningState: 'Succeeded',
    publishedAt: null,
    regions: { eastus2: 'Completed' },
  };
  const all = [{ ...version, version: '1.2.0', regions: {} }, version] as unknown as ImageVersion[];
  assert.deepEqual(chosen({}, group(), all), { image: '1.1.0' });
  assert.deepEqual(chosen({ image: '1.0.0' }, group(), all), { image: '1.0.0' });
  const prompted = group({ rollNeeded: { outdated: 2, total: 10, reasons: [{ field: 'sku.name' }] } });
  assert.deepEqual(chosen({}, prompted, all), {});
});

test('asking the same again leaves out what was of that time', () => {
  const body = beginning(sameAgain(captured('finished').deployment));
  assert.ok(!('retryOf' in body) && !('onConflict' in body) && !('signals' in body) && !('groupId' in body));
  assert.deepEqual([body.image, body.gracePeriod, body.comment], ['1.1.0', 300, 'release 42']);
});

test('filters take statuses, groups and words', () => {
  const all = [captured('finished').deployment, captured('failed').deployment, captured('approval').deployment];
  const asked = { status: '', group: '', find: '' };
  assert.equal(filtered(all, asked).length, 3);
  assert.deepEqual(
    filtered(all, { ...asked, status: 'inProgress' }).map((one) => one.groupId),
    ['api'],
  );
  assert.deepEqual(
    filtered(all, { ...asked, find: 'RELEASE 43' }).map((one) => one.status),
    ['failed'],
  );
});

test('a row goes on from the last one, and deploys an older image', () => {
  const [failed, finished] = [captured('failed').deployment, captured('finished').deployment];
  const all = [failed, finished];
  assert.deepEqual([rowAct(failed, all), rowAct(finished, all)], ['retry', 'deployThis']);
  assert.equal(rowAct({ ...finished, status: 'queued' }, all), 'takeBack');
});

test('the prompt counts, and is silent while a deployment replaces them', () => {
  const of = (outdated: number, field: string): Group =>
    group({ rollNeeded: { outdated, total: 10, reasons: [{ field }] } });
  assert.equal(prompt(of(3, 'sku.name')), '3 of 10 VMs do not run the current model');
  assert.equal(prompt(of(1, 'sku.name')), '1 of 10 VMs does not run the current model');
  assert.deepEqual(
    [rollNeeded(of(3, 'sku.name')), rollNeeded(of(3, 'deployment')), rollNeeded(of(0, 'x'))],
    [true, false, false],
  );
});

test('parameters are in words, and those that are given stand out', () => {
  const found = new Map(parameters(captured('approval').deployment.parameters).map((one) => [one.name, one]));
  assert.equal(found.get('canary')?.value, 'size 1, approval yes, bakeTime 0 s');
  assert.deepEqual([found.get('gracePeriod')?.value, found.get('gracePeriod')?.given], ['300 s', true]);
  assert.equal(found.get('drainingTimeout')?.given, false);
});

test('a VM that came and went back is counted once, and one that was never judged is not called sick', () => {
  const run = runOf('rolledback');
  assert.deepEqual(present(run), { blue: 6, green: 0 });
  assert.deepEqual(aftermath(run, story(run)).sick, []);
});

test('an instance view is told as lines, a status each', () => {
  const view = {
    osName: 'debian',
    statuses: [{ code: 'PowerState/running', displayStatus: 'VM running', message: null }],
    vmHealth: { status: { code: 'HealthState/unhealthy', displayStatus: 'The VM is unhealthy' } },
    extensions: [{ name: 'HealthExtension', statuses: [{ code: 'x', displayStatus: 'Ready', message: 'enabled' }] }],
  };
  assert.deepEqual(instanceLines(view), [
    ['osName', 'debian'],
    ['statuses', 'VM running'],
    ['vmHealth', 'The VM is unhealthy'],
    ['HealthExtension', 'Ready: enabled'],
  ]);
});

test('what has just happened is not what is waited for', () => {
  assert.equal(waitsFor('Batch 2 of 5: waiting for 1 of 2 VMs'), '1 of 2 VMs');
  assert.equal(waitsFor('Batch 2 of 5: started', 'launch'), 'New VMs to be launched');
});

test('the time that is left is what the API says, and none while somebody is asked', () => {
  const of = { ...captured('sick').deployment, decision: null, expectedEndAt: '2026-11-23T08:37:30.000Z' };
  const now = Date.parse('2026-11-23T08:30:00.000Z') / 1000;
  assert.equal(timeLeft(of, now), 'about 8 min left');
  assert.equal(timeLeft({ ...of, expectedEndAt: null }, now), '');
  const decision = { asked: 'approve', since: '', deadline: '', action: 'stop' } as Deployment['decision'];
  assert.equal(timeLeft({ ...of, decision }, now), '');
});

test('a type of event, a status and a status of a VM that a newer Teal has are shown by their names', () => {
  const event = { type: 'VmResized', message: 'web_3 has another size', data: {}, at: 0, batch: 1, sequence: 1 };
  assert.deepEqual(eventLook(event as never), { icon: 'dot', tone: '' });
  assert.deepEqual(shown('verifying' as Deployment['status']), { word: 'Verifying', icon: 'dot', tone: '' });
  const vm = { status: 'restarting', reason: 'Restarting', gone: false, comes: true };
  assert.equal(vmShown(vm as never).word, 'Restarting');
});
