/** What the API answers, by its own document; `schema.d.ts` is made from that at each build. */
import type { components } from './schema';

type Schemas = components['schemas'];

export type Status = Schemas['Status'];
export type CommandKind = Schemas['CommandKind'];
export type HealthCheckType = Schemas['HealthCheckType'];
export type Parameters = Schemas['Parameters'];
export type Batch = Schemas['Batch'];
export type Vm = Schemas['Vm'];
export type Reading = Schemas['Reading'];
export type Event = Schemas['Event'];
export type Command = Schemas['Command'];
export type Danger = Schemas['Danger'];
export type Finding = Schemas['Finding'];
export type Plan = Schemas['Plan'];
export type Evidence = Schemas['Evidence'];
export type ImageVersion = Schemas['ImageVersion'];
export type Notification = Schemas['Notification'];
export type Group = Schemas['Group'];
export type GroupWithState = Schemas['GroupWithState'];
export type RollNeeded = Schemas['RollNeeded'];
export type Deployment = Schemas['Deployment'] & Newer;
export type DeploymentRead = Schemas['DeploymentRead'] & Newer;
export type DeploymentBody = Schemas['DeploymentBody'];

/** Fields that an older app does not answer. */
interface Newer {
  targetSize?: number | null;
  servingFloor?: number | null;
  /** Why a command makes no sense now. */
  cannotBe?: Partial<Record<CommandKind, string>>;
}

export interface Listed<T> {
  value: T[];
  continuationToken?: string;
}

/** A deployment with all that its page shows. */
export interface Details {
  deployment: DeploymentRead;
  batches: Batch[];
  vms: Vm[];
  events: Event[];
}
