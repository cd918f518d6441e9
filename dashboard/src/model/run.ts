/** A deployment as the page draws it: its times in seconds, its VMs by image. */
import type { Batch, Details, Deployment, Event, Vm } from '../api/types';
import { fromTo } from './images';
import { seconds } from './words';

/** Blue is the image from before, green the one that the deployment brings. */
export type Side = 'blue' | 'green';

export interface Placed extends Omit<Vm, 'updatedAt'> {
  /** By image: in a batch that rolls back the API's two colours change places. Others made it: it has no part. */
  side: Side | 'others';
  /** Whether it came in its batch, rather than goes. */
  comes: boolean;
  gone: boolean;
  at: number;
}

export interface Happened extends Omit<Event, 'at' | 'data'> {
  at: number;
  data: Record<string, unknown>;
}

export interface Run {
  deployment: Deployment;
  batches: Batch[];
  vms: Placed[];
  events: Happened[];
  /** When it began, ended, and the time that its page goes by. */
  start: number;
  end: number | null;
  now: number;
  from: string;
  to: string;
  /** How many VMs the set is to have, and as few serve at any time. */
  size: number;
  floor: number | null;
  /** Green VMs that were there before it began. */
  kept: number;
}

export function makeRun(details: Details, now: number): Run {
  const { deployment, batches } = details;
  const back = new Set(batches.filter((batch) => batch.back).map((batch) => batch.number));
  const events = details.events.map(happened);
  const planned = events.find((event) => event.type === 'DeploymentPlanned')?.data;
  return {
    deployment,
    batches: [...batches].sort((one, other) => one.number - other.number),
    vms: details.vms.map((vm) => placed(vm, back.has(vm.batch))),
    events,
    start: seconds(deployment.startedAt ?? deployment.queuedAt ?? deployment.createdAt),
    end: deployment.endedAt ? seconds(deployment.endedAt) : null,
    now: Math.max(now, events.at(-1)?.at ?? 0),
    ...fromTo(deployment.image),
    size: sizeOf(deployment, planned),
    floor: deployment.servingFloor ?? null,
    kept: number(planned?.kept),
  };
}

function happened(event: Event): Happened {
  return { ...event, at: seconds(event.at), data: (event.data ?? {}) as Record<string, unknown> };
}

function placed(vm: Vm, back: boolean): Placed {
  const side = back ? (vm.color === 'blue' ? 'green' : 'blue') : (vm.color ?? 'others');
  const gone = vm.status === 'deleted' || vm.reason === 'Deleted';
  // Of one that is gone the API says no more that it was sick; the page does, and leads to its evidence.
  const sick = vm.evidence || vm.readings.some((one) => one.health === 'unhealthy');
  const status = gone && sick ? 'unhealthy' : vm.status;
  return { ...vm, status, side, comes: vm.color === 'green', gone, at: seconds(vm.updatedAt ?? '') };
}

function sizeOf(deployment: Deployment, planned: Record<string, unknown> | undefined): number {
  const size = deployment.targetSize ?? number(planned?.targetSize);
  return size || deployment.blueVms + deployment.greenVms;
}

/** A number of an event's data; 0 where it has none. */
export const number = (value: unknown): number => (typeof value === 'number' ? value : 0);
