/** The plan of a dry run as a run that has not begun, so that it is drawn as one; and its findings with what to do. */
import type { Batch, Deployment, Finding, Plan } from '../api/types';
import type { Body } from './form';
import { fromTo } from './images';
import type { Run } from './run';
import type { Drawn, Row, Step, Story } from './story';
import { about, counted } from './words';

export function draw(plan: Plan, draining: number): Drawn {
  const size = plan.targetSize ?? 0;
  const seconds = plan.duration?.seconds ?? 0;
  const each = plan.batches.length ? seconds / plan.batches.length : 0;
  const rows = plan.batches.map((one) => makeRow(one));
  const kept = plan.kept.length;
  let [at, blue, green] = [0, Math.max(0, size - kept), kept];
  const first: Step = { at, blue, green };
  const ahead: Step[] = [first];
  const planned = plan.batches.map((one) => {
    const parts = partsOf(at, each, draining);
    const healthy = parts[1]?.to ?? at;
    blue = Math.max(0, blue - one.blue);
    green += one.green;
    ahead.push({ at: healthy, blue, green });
    const from = at;
    at += each;
    return { number: one.number, from, to: at, whole: true, parts };
  });
  ahead.push({ at, blue, green });
  const run = { ...fromTo(plan.image), ...EMPTY, size, floor: plan.servingFloor, kept } as Run;
  return { run, story: { rows, steps: [first], waits: [], rollBack: null, planned, ahead, expectedEnd: at } };
}

const EMPTY = { deployment: {} as Deployment, batches: [], vms: [], events: [], start: 0, end: null, now: 0 };

function makeRow(one: Plan['batches'][number]): Row {
  const batch = { number: one.number, canary: one.canary, back: false, blue: one.blue, green: one.green } as Batch;
  const nothing = { open: null, live: null, begun: null, done: null, failure: null };
  return { ...batch, ...nothing, bars: [], healthy: 0, remaining: 0, cut: false };
}

function partsOf(from: number, each: number, draining: number): Story['planned'][number]['parts'] {
  const drain = Math.min(draining, each * 0.6);
  const rest = each - drain;
  const lengths = [
    ['launch', rest * 0.25],
    ['health', rest * 0.6],
    ['drain', drain],
    ['terminate', rest * 0.12],
  ] as const;
  let at = from;
  return lengths.map(([kind, length]) => {
    const part = { kind, from: at, to: at + length };
    at += length;
    return part;
  });
}

/** What will happen, in one paragraph of parts. */
export function planWords(plan: Plan, body: Body, grace: number): string[] {
  const { from, to } = fromTo(plan.image);
  const vms = plan.batches.reduce((sum, one) => sum + one.blue, 0);
  if (vms === 0) return [`No VM is replaced: all run ${to} already.`];
  const images = from && from !== to ? `of ${from} by new ones of ${to}` : `by new ones of ${to}`;
  const words = [`Replaces ${counted(vms, 'VM')} ${images} in ${counted(plan.batches.length, 'batch', 'batches')}.`];
  if (plan.servingFloor !== null) words.push(`As few as ${plan.servingFloor} serve at any time.`);
  const fails: Record<string, string> = {
    rollBack: 'everything is rolled back',
    keep: 'its green VMs are kept to be looked at',
  };
  words.push(
    `A batch that is not healthy within ${about(grace)} fails: ${fails[body.onFailure ?? ''] ?? 'its green VMs go, and blue ones stay'}.`,
  );
  if (plan.batches.some((one) => one.approval)) words.push('Somebody is asked on the way.');
  return words;
}

export interface Fix {
  words: string;
  change: Partial<Body>;
}

const ADJUST: Fix = { words: 'Adjust it for the deployment', change: { adjust: true } };
const FIXES: Readonly<Record<string, Fix>> = {
  upgradeModeNotManual: ADJUST,
  overprovisioning: ADJUST,
  protectedVms: { words: 'Skip protected VMs', change: { protectedVms: 'skip' } },
  stoppedVms: { words: 'Skip stopped VMs', change: { stoppedVms: 'skip' } },
  attachedVms: { words: 'Skip attached VMs', change: { attachedVms: 'skip' } },
  deploymentInProgress: { words: 'Wait in the queue', change: { onConflict: 'queue' } },
  nothingToDo: { words: 'Replace all the same', change: { force: true } },
};

/** What a click can do about a finding. */
export function fixOf(finding: Finding, body: Body): Fix | null {
  if (finding.severity === 'warning') return null;
  const fix = FIXES[finding.code];
  if (!fix) return null;
  const isThere = Object.entries(fix.change).every(([name, value]) => body[name as keyof Body] === value);
  return isThere ? null : fix;
}

/** What stands beside the button. */
export function verdict({ canStart, findings }: Plan): string {
  const count = (severity: string): number => findings.filter((one) => one.severity === severity).length;
  const warnings = count('warning');
  if (!canStart) return `Refused: ${counted(count('error'), 'finding')}`;
  return warnings ? `${counted(warnings, 'warning')}, nothing refuses it` : 'Nothing refuses it';
}
