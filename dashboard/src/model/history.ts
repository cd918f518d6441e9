/** The list of deployments: its filters, what stands above it, and what can be done from a row. */
import type { Deployment, Status } from '../api/types';
import { fromTo } from './images';
import { ended } from './status';
import { seconds } from './words';

export type Filter = '' | 'running' | 'failed' | 'rolledBack' | 'stopped' | 'finished';

export const FILTERS: readonly (readonly [Filter, string, string])[] = [
  ['', 'All', ''],
  ['running', 'In progress', 'progress'],
  ['failed', 'Failed', 'cross'],
  ['rolledBack', 'Rolled back', 'undo'],
  ['stopped', 'Stopped', 'stop'],
  ['finished', 'Finished', 'check'],
];

export const inFilter = (status: Status, filter: string): boolean =>
  filter === '' || (filter === 'running' ? !ended(status) : status === filter);

export interface Asked {
  status: string;
  group: string;
  find: string;
}

/** The deployments that are asked for, in the order in which they come. */
export function filtered(all: readonly Deployment[], asked: Asked): Deployment[] {
  const text = asked.find.trim().toLowerCase();
  return all.filter(
    (one) =>
      inFilter(one.status, asked.status) &&
      (!asked.group || one.groupId === asked.group) &&
      (!text || words(one).includes(text)),
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

export type RowAct = 'takeBack' | 'retry' | 'deployThis' | 'again' | 'pause' | '';

/** What the button of a row does: retry goes on only from the group's last one. */
export function rowAct(of: Deployment, all: readonly Deployment[]): RowAct {
  if (of.status === 'queued') return 'takeBack';
  if (!ended(of.status)) return 'pause';
  const last = all.find((one) => one.groupId === of.groupId && one.startedAt !== null);
  if (of.status !== 'finished') return last?.id === of.id ? 'retry' : 'again';
  return last?.id === of.id ? 'again' : 'deployThis';
}
