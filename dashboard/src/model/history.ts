/** The list of deployments: its filters, what stands above it, and what can be done from a row. */
import type { Deployment, Status } from '../api/types';
import { fromTo } from './images';
import { ended, shown } from './status';
import { seconds } from './words';

const FILTERS = ['', 'inProgress', 'failed', 'rolledBack', 'stopped', 'finished'] as const;

const inFilter = (status: Status, filter: string): boolean =>
  filter === '' || (filter === 'inProgress' ? !ended(status) : status === filter);

export interface StatusChip {
  value: (typeof FILTERS)[number];
  word: string;
  count: number;
}

/** The statuses by which the list is narrowed down, each with its count. */
export const statusChips = (all: readonly Deployment[]): StatusChip[] =>
  FILTERS.map((value) => {
    const count = all.filter((one) => inFilter(one.status, value)).length;
    return { value, word: value ? shown(value).word : 'All', count };
  });

export interface Asked {
  status: string;
  group: string;
  find: string;
}

/** The deployments that are asked for, in the order in which they come. */
export function filtered(all: readonly Deployment[], { status, group, find }: Asked): Deployment[] {
  const text = find.trim().toLowerCase();
  return all.filter(
    (one) => inFilter(one.status, status) && (!group || one.groupId === group) && words(one).includes(text),
  );
}

function words(of: Deployment): string {
  const { from, to } = fromTo(of.image);
  return [of.id, of.comment, of.startedBy, of.groupId, from, to].join(' ').toLowerCase();
}

/** How long one took; null while it goes on. */
export function took(of: Deployment): number | null {
  return of.endedAt && of.startedAt ? seconds(of.endedAt) - seconds(of.startedAt) : null;
}

/** The median of how long finished ones took. */
export function median(all: readonly Deployment[]): number | null {
  const times = all.filter((one) => one.status === 'finished').flatMap((one) => took(one) ?? []);
  times.sort((one, other) => one - other);
  return times[times.length >> 1] ?? null;
}

export type RowAct = 'takeBack' | 'approve' | 'pause' | 'retry' | 'again' | 'deployThis';

/** What the button of a row does: retry goes on only from the group's last one. */
export function rowAct(of: Deployment, all: readonly Deployment[]): RowAct {
  if (of.status === 'queued') return 'takeBack';
  if (!ended(of.status)) return of.status === 'awaitingApproval' ? 'approve' : 'pause';
  const isLast = all.find((one) => one.groupId === of.groupId && one.startedAt !== null)?.id === of.id;
  if (of.status !== 'finished') return isLast ? 'retry' : 'again';
  return isLast ? 'again' : 'deployThis';
}
