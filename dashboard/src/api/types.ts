/** What the API answers, by its own document; `schema.d.ts` is made from that at each build. */
import type { components } from './schema';

type Schemas = components['schemas'];

export type HealthCheckType = Schemas['HealthCheckType'];
export type Parameters = Schemas['Parameters'];
export type Batch = Schemas['Batch'];
export type Vm = Omit<Schemas['Vm'], 'color'> & { color: 'blue' | 'green' | null };
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

export type Deployment = Omit<Schemas['Deployment'], 'status'> & { status: Status };
export type Group = Omit<Schemas['Group'], 'latest'> & {
  latest?: (Omit<NonNullable<Schemas['Group']['latest']>, 'status'> & { status: Status }) | null;
};

/** An item of a list that a newer release of Teal wrote, and this one cannot read. */
export type Unreadable = Schemas['UnreadableItem'];

export interface Listed<T> {
  value: T[];
  unreadable?: Unreadable[];
  continuationToken?: string;
}

/** What the page of all groups shows. */
export interface GroupsData {
  groups: Group[];
  unreadable: Unreadable[];
  deployments: Deployment[];
  notifications: Notification[];
}

/** A deployment with all that its page shows. */
export interface Details {
  deployment: Deployment;
  batches: Batch[];
  vms: Vm[];
  events: Event[];
}
