/** The same for an app that does not know `include` yet: more requests, and all of each. */
import { all, ApiError, ask } from './client';
import type { Batch, Deployment, Details, Event, Group, Vm } from './types';

/** Whether the app said that it does not know a parameter. */
export const isOlder = (error: unknown): boolean => error instanceof ApiError && error.code === 'unknownParameter';

export async function olderDetails(id: string, known: Details | null, signal: AbortSignal): Promise<Details> {
  const path = `deployments/${encodeURIComponent(id)}`;
  const after = known?.events.at(-1)?.sequence ?? 0;
  const [deployment, batches, vms, events] = await Promise.all([
    ask<Deployment>(path, { signal }),
    all<Batch>(`${path}/batches`, signal),
    all<Vm>(`${path}/vms`, signal),
    all<Event>(`${path}/events?after=${after}`, signal),
  ]);
  return { deployment, batches, vms, events: [...(known?.events ?? []), ...events] };
}

export async function olderGroups(signal: AbortSignal): Promise<Group[]> {
  const groups = await all<Group>('groups', signal);
  return Promise.all(groups.map((one) => ask<Group>(`groups/${one.id}`, { signal })));
}
