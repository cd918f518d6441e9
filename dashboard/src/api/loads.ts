/** What each view asks for. */
import { ended } from '../model/status';
import { all, ask, askIfChanged } from './client';
import type { Batch, Deployment, Details, Event, Group, GroupsData, Listed, Notification, Vm } from './types';

const NEWEST = 100;
/** Milliseconds. */
const SELDOM = 120_000;

/** Deployments that the banner tells of, or that wait. */
const LIVE = 'queued,pending,inProgress,paused,awaitingApproval,baking,stopping,rollingBack';

/** All groups: one request while nothing is under way, two while something is. What seldom changes is asked for less often. */
export class GroupsSource {
  #notifications: Notification[] = [];
  #scheduled = new Map<string, Group['scheduled']>();
  #asked = -Infinity;

  async load(signal: AbortSignal): Promise<GroupsData> {
    const { value: groups, unreadable } = await all<Group>('groups?include=state', signal);
    const [deployments] = await Promise.all([this.#live(groups, signal), this.#seldom(groups, signal)]);
    const told = groups.map((one) => ({ ...one, scheduled: one.scheduled ?? this.#scheduled.get(one.id) ?? [] }));
    return { groups: told, unreadable, deployments, notifications: this.#notifications };
  }

  async #live(groups: readonly Group[], signal: AbortSignal): Promise<Deployment[]> {
    if (groups.every((one) => !one.latest || ended(one.latest.status))) return [];
    return (await ask<Listed<Deployment>>(`deployments?status=${LIVE}&limit=${NEWEST}`, { signal })).value;
  }

  /** The list of groups does not say when schedules run next: groups that have some are asked. */
  async #seldom(groups: readonly Group[], signal: AbortSignal): Promise<void> {
    if (performance.now() - this.#asked < SELDOM) return;
    const asked = performance.now();
    const planned = groups.filter((one) => one.schedules.length > 0 && !one.scheduled);
    const [notifications, ...found] = await Promise.all([
      ask<Listed<Notification>>('notifications?limit=20', { signal }),
      ...planned.map((one) => ask<Group>(`groups/${one.id}`, { signal })),
    ]);
    this.#notifications = notifications.value;
    for (const one of found) this.#scheduled.set(one.id, one.scheduled);
    this.#asked = asked;
  }
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
  #known: Details | null = null;
  #tag = '';
  #after = '';
  #since = '';

  constructor(private readonly id: string) {}

  async load(signal: AbortSignal): Promise<Details> {
    let more: number;
    do more = await this.#news(signal);
    while (more >= EVENTS_PAGE);
    if (!this.#known) throw new Error('The deployment did not come');
    return this.#known;
  }

  /** How many events came. */
  async #news(signal: AbortSignal): Promise<number> {
    const asked = new URLSearchParams({ include: 'batches,vms,events' });
    if (this.#after) asked.set('after', this.#after);
    if (this.#since) asked.set('vmsSince', this.#since);
    const path = `deployments/${encodeURIComponent(this.id)}?${asked}`;
    const answer = await askIfChanged<News>(path, this.#tag, signal);
    if (answer === null) return 0;
    this.#tag = answer.tag;
    const { batches = [], vms = [], events = [], next, vmsSince, ...deployment } = answer.body;
    this.#after = next ?? this.#after;
    this.#since = vmsSince ?? this.#since;
    this.#known = {
      deployment,
      batches: merged(this.#known?.batches, batches, (one) => `${one.number}`),
      vms: withoutDoubles(merged(this.#known?.vms, vms, (one) => `${one.vmId} ${one.batch} ${one.color}`)),
      events: merged(this.#known?.events, events, (one) => `${one.sequence}`),
    };
    return events.length;
  }
}

/** A VM that others made loses its row without a colour once it has a part. */
function withoutDoubles(vms: readonly Vm[]): Vm[] {
  const own = new Set(vms.filter((one) => one.color).map((one) => one.vmId));
  return vms.filter((one) => one.color || !own.has(one.vmId));
}

/** Those that were there, each as it is now, and new ones at the end. */
function merged<T>(before: readonly T[] = [], now: readonly T[], key: (one: T) => string): T[] {
  const found = new Map(before.map((one) => [key(one), one]));
  for (const one of now) found.set(key(one), one);
  return [...found.values()];
}
