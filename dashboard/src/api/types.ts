/** What the API answers, by its own document; `schema.d.ts` is made from that at each build. */
import type { components } from './schema';

type Schemas = components['schemas'];

export type HealthCheckType = Schemas['HealthCheckType'];
export type Parameters = Schemas['Parameters'];
export type Batch = Schemas['Batch'];
export type Vm = Omit<Schemas['Vm'], 'color'> & { color: 'blue' | 'green' };
export type Reading = Schemas['Reading'];
export type Event = Schemas['Event'];
export type Command = Schemas['Command'];
export type Danger = Schemas['Danger'];
export type Finding = Schemas['Finding'];
export type Plan = Schemas['Plan'];
export type Evidence = Schemas['Evidence'];
export type ImageVersion = Schemas['ImageVersion'];
export type Notification = Schemas['Notification'];
export type RollNeeded = Schemas['RollNeeded'];
export type DeploymentBody = Schemas['DeploymentBody'];

export type CommandKind = 'pause' | 'resume' | 'approve' | 'stop' | 'rollBack';

export type Status =
  | 'queued'
  | 'pending'
  | 'inProgress'
  | 'paused'
  | 'awaitingApproval'
  | 'baking'
  | 'stopping'
  | 'rollingBack'
  | 'finished'
  | 'failed'
  | 'stopped'
  | 'rolledBack';

export type Deployment = Omit<Schemas['Deployment'], 'canBe' | 'status'> & {
  status: Status;
  canBe: (CommandKind | Possibility)[];
  targetSize?: number | null;
  servingFloor?: number | null;
  rollBack?: { at: string; percent: number; reason: string; by: string } | null;
  queuePosition?: number | null;
};

/** Whether a command makes sense now, and why not. */
export interface Possibility {
  command: CommandKind;
  possible: boolean;
  reason: string;
}

type State = Omit<NonNullable<Schemas['Group']['state']>, never> & {
  vms?: number | null;
  images?: { image: string; imageReference: string; vms: number }[] | null;
  health?: { healthy: number; unhealthy: number; unknown: number } | null;
};

export type Group = Omit<Schemas['Group'], 'state'> & {
  state?: State | null;
  needsAttention?: { code: string; reason: string; deploymentId: string | null } | null;
  latest?: Pick<Deployment, 'id' | 'status' | 'reason' | 'createdAt' | 'endedAt' | 'image' | 'progress'> | null;
};

export interface Listed<T> {
  value: T[];
  continuationToken?: string;
}

/** A deployment with all that its page shows. */
export interface Details {
  deployment: Deployment;
  batches: Batch[];
  vms: Vm[];
  events: Event[];
}
