/** A group in the list: what runs, whether somebody is needed, what comes next. */
import type { Deployment, Group, Notification } from '../api/types';
import { label } from './images';
import { ended, underWay } from './status';
import { counted, seconds } from './words';

export interface Seen {
  group: Group;
  /** The deployment that has the set, and the last one that ended. */
  current: Deployment | null;
  last: { id: string; status: Deployment['status']; endedAt: string | null; startedAt?: string | null } | null;
  images: { image: string; vms: number }[];
  vms: number | null;
  /** Why somebody is needed; empty where nobody is. */
  attention: string;
}

export function see(group: Group, deployments: readonly Deployment[]): Seen {
  const own = deployments.filter((one) => one.groupId === group.id);
  const current = own.find((one) => underWay(one.status)) ?? null;
  const latest = group.latest && ended(group.latest.status) ? group.latest : null;
  const last = own.find((one) => ended(one.status)) ?? latest;
  const vms = group.state?.vms ?? group.state?.capacity ?? null;
  const images = group.state?.images?.length
    ? group.state.images
    : group.state?.image && vms !== null
      ? [{ image: label(group.state.image), vms }]
      : [];
  return { group, current, last, images, vms, attention: attention(group, current) };
}

function attention(group: Group, current: Deployment | null): string {
  if (group.needsAttention) return group.needsAttention.reason;
  if (group.dangers?.length) return group.dangers[0]?.message ?? '';
  if (current?.decision) return current.reason;
  if (group.state?.error) return group.state.error.message;
  return rollNeeded(group) ? prompt(group) : '';
}

/** Whether the prompt is shown: not while a deployment replaces the VMs anyway. */
export const rollNeeded = (group: Group): boolean =>
  (group.rollNeeded?.outdated ?? 0) > 0 && !group.rollNeeded?.reasons.some((one) => one.field === 'deployment');

/** `3 of 10 VMs do not run the current model`. */
export function prompt(group: Group): string {
  const { outdated, total } = group.rollNeeded ?? {};
  const vms =
    total === null || total === undefined ? counted(outdated ?? 0, 'VM') : `${outdated} of ${counted(total, 'VM')}`;
  return `${vms} ${outdated === 1 ? 'does' : 'do'} not run the current model`;
}

/** The newest image that waits for a group, or was started for it. */
export function imageNews(
  group: Group,
  notifications: readonly Notification[],
): { version: string; outcome: string; reason: string } | null {
  for (const one of notifications) {
    const found = one.groups.find((of) => of.groupId === group.id);
    if (found && found.outcome === 'waiting')
      return { version: one.version ?? '', outcome: found.outcome, reason: found.reason };
  }
  return null;
}

export interface NextRun {
  group: string;
  name: string;
  at: number | null;
  words: string;
  waiting: boolean;
}

/** The schedules of all groups, the next run first. */
export function nextRuns(groups: readonly Group[]): NextRun[] {
  return groups
    .flatMap((group) => (group.scheduled ?? []).map((one) => nextRun(group.id, one)))
    .sort((one, other) => (one.at ?? Infinity) - (other.at ?? Infinity));
}

function nextRun(group: string, one: NonNullable<Group['scheduled']>[number]): NextRun {
  const waiting = one.lastRun?.outcome === 'waiting';
  const at = one.nextRun ? seconds(one.nextRun) : null;
  return { group, name: one.name, at, waiting, words: waiting ? (one.lastRun?.reason ?? '') : '' };
}
