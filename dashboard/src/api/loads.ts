/** What each view asks for. */
import { all, ask, askIfChanged } from './client';
import type { Batch, Deployment, Details, Event, Group, GroupsData, Listed, Notification, Vm } from './types';

const NEWEST = 100;

export async function loadGroups(signal: AbortSignal): Promise<GroupsData> {
  const [groups, deployments, notifications] = await Promise.all([
    all<Group>('groups?include=state', signal),
    ask<Listed<Deployment>>(`deployments?limit=${NEWEST}`, { signal }),
    ask<Listed<Notification>>('notifications?limit=20', { signal }),
  ]);
  const told = await Promise.all(groups.map((one) => withSchedules(one, signal)));
  return { groups: told, deployments: deployments.value, notifications: notifications.value };
}

/** The list does not say when schedules run next: only groups that have some are asked for it. */
async function withSchedules(group: Group, signal: AbortSignal): Promise<Group> {
  if (group.schedules.length === 0 || group.scheduled) return group;
  const { scheduled = [] } = await ask<Group>(`groups/${group.id}`, { signal });
  return { ...group, scheduled };
}

export async function loadHistory(signal: AbortSignal): Promise<Deployment[]> {
  return (await ask<Listed<Deployment>>(`deployments?limit=${NEWEST}`, { signal })).value;
}

export async function loadNotifications(signal: AbortSignal): Promise<Notification[]> {
  return (await ask<Listed<Notification>>('notifications?limit=100', { signal })).value;
}

interface News extends Deployment {
  batches?: Batch[];
  vms?: Vm[];
  events?: Event[];
  next?: string;
  vmsSince?: string;
}

const EVENTS_PAGE = 1000;

/** One deployment: after the first request only what is new of it, and nothing where nothing is. */
export class DetailsSource {
  private known: Details | null = null;
  private tag = '';
  private after = '';
  private since = '';

  constructor(private readonly id: string) {}

  async load(signal: AbortSignal): Promise<Details> {
    let more: number;
    do more = await this.news(signal);
    while (more >= EVENTS_PAGE);
    if (!this.known) throw new Error('The deployment did not come');
    return this.known;
  }

  /** How many events came. */
  private async news(signal: AbortSignal): Promise<number> {
    const asked = new URLSearchParams({ include: 'batches,vms,events' });
    if (this.after) asked.set('after', this.after);
    if (this.since) asked.set('vmsSince', this.since);
    const path = `deployments/${encodeURIComponent(this.id)}?${asked}`;
    const answer = await askIfChanged<News>(path, this.tag, signal);
    if (answer === null) return 0;
    this.tag = answer.tag;
    const { batches = [], vms = [], events = [], next, vmsSince, ...deployment } = answer.body;
    this.after = next ?? this.after;
    this.since = vmsSince ?? this.since;
    this.known = {
      deployment,
      batches: merged(this.known?.batches, batches, (one) => `${one.number}`),
      vms: merged(this.known?.vms, vms, (one) => `${one.vmId} ${one.batch} ${one.color}`),
      events: merged(this.known?.events, events, (one) => `${one.sequence}`),
    };
    return events.length;
  }
}

/** Those that were there, each as it is now, and new ones at the end. */
function merged<T>(before: readonly T[] = [], now: readonly T[], key: (one: T) => string): T[] {
  const found = new Map(before.map((one) => [key(one), one]));
  for (const one of now) found.set(key(one), one);
  return [...found.values()];
}
