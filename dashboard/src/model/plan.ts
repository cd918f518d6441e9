/** The plan of a dry run as a run that has not begun, so that it is drawn as one; and its findings with what to do. */
import type { Batch, Deployment, Finding, Plan } from '../api/types';
import { layOut } from './forecast';
import type { Body } from './form';
import { fromTo } from './images';
import type { Run } from './run';
import { makeRow, type Drawn } from './story';
import { whenFailed } from './waiting';
import { about, counted, sum } from './words';

export function draw(plan: Plan, draining: number): Drawn {
  const { batches, duration, kept, servingFloor } = plan;
  const [size, green] = [plan.targetSize ?? 0, kept.length];
  const first = { at: 0, blue: Math.max(0, size - green), green };
  const rows = batches.map((one) => makeRow({ ...one, back: false } as unknown as Batch));
  const each = (duration?.seconds ?? 0) / Math.max(1, batches.length);
  const drain = Math.min(draining, each * 0.6);
  const rest = each - drain;
  const laid = layOut(rows, first, { launch: rest * 0.25, health: rest * 0.6, drain, terminate: rest * 0.15 });
  const run = { ...fromTo(plan.image), ...EMPTY, size, floor: servingFloor, kept: green } as Run;
  return { run, story: { rows, steps: [first], waits: [], ...laid } };
}

const EMPTY = {
  deployment: {} as Deployment,
  batches: [],
  vms: [],
  events: [],
  start: 0,
  end: null,
  now: 0,
  rollBack: null,
};

/** How many VMs are. */
export const replaced = (plan: Plan): number => sum(plan.batches, (one) => one.blue);

/** What will happen, in one paragraph of parts. */
export function planWords(plan: Plan, body: Body, grace: number): string[] {
  const { from, to } = fromTo(plan.image);
  const vms = replaced(plan);
  if (vms === 0) return [`No VM is replaced: all run ${to} already.`];
  const images = from && from !== to ? `of ${from} by new ones of ${to}` : `by new ones of ${to}`;
  const words = [`Replaces ${counted(vms, 'VM')} ${images} in ${counted(plan.batches.length, 'batch', 'batches')}.`];
  if (plan.servingFloor !== null) words.push(`As few as ${plan.servingFloor} serve at any time.`);
  words.push(`A batch that is not healthy within ${about(grace)} fails: ${whenFailed(body.onFailure)}.`);
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
