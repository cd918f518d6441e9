/** How events are shown: an icon, a tone, and the message without what is said beside it. */
import type { Happened } from './run';

const LOOKS: Readonly<Record<string, readonly [icon: string, tone: '' | 'warn' | 'bad']>> = {
  TurnTaken: ['clock', ''],
  DeploymentPlanned: ['list', ''],
  ProcessesHeld: ['lock', ''],
  ProcessesRestored: ['lock', ''],
  ImageApplied: ['image', ''],
  ImageRestored: ['undo', ''],
  ImageNotRestored: ['warning', 'warn'],
  StepRetried: ['retry', ''],
  BatchStarted: ['up', ''],
  BatchLaunched: ['up', ''],
  VmRelaunched: ['retry', 'warn'],
  BatchHealthy: ['heart', ''],
  BatchNotJudged: ['eye', ''],
  BatchDetached: ['leave', ''],
  BatchTerminated: ['check', ''],
  SickGreenDiscarded: ['trash', 'warn'],
  BatchFailed: ['cross', 'bad'],
  VmsGone: ['warning', 'warn'],
  VmsFailed: ['warning', 'warn'],
  GreenDiscarded: ['trash', 'warn'],
  GreenKept: ['eye', 'warn'],
  ApprovalAwaited: ['hand', 'warn'],
  DeploymentApproved: ['hand', ''],
  DeploymentPaused: ['pause', 'warn'],
  DeploymentResumed: ['play', ''],
  BakeStarted: ['eye', ''],
  Baked: ['eye', ''],
  DeploymentStopping: ['stop', 'warn'],
  DeploymentRollingBack: ['undo', 'warn'],
  RollBackPlanned: ['list', ''],
  DeploymentFinished: ['check', ''],
  DeploymentFailed: ['cross', 'bad'],
  DeploymentStopped: ['stop', 'warn'],
  DeploymentRolledBack: ['undo', 'warn'],
  KeptGreenDiscarded: ['trash', ''],
  KeptProcessesRestored: ['lock', ''],
  LeftVmsDeleted: ['trash', ''],
};

export interface EventLook {
  icon: string;
  tone: '' | 'warn' | 'bad';
}

export function eventLook(event: Happened): EventLook {
  const [icon, tone] = LOOKS[event.type] ?? ['dot', ''];
  const sick = typeof event.data.sick === 'number' && event.data.sick > 0;
  return { icon, tone: sick && !tone ? 'warn' : tone };
}

/** Under the heading of its batch. */
export const beneath = (event: Happened): string =>
  event.message.replace(/^Batch \d+ of \d+: (.)/, (_, first: string) => first.toUpperCase());

/** Among events of all batches. */
export const brief = (event: Happened): string => event.message.replace(/^(Batch \d+) of \d+:/, '$1:');

/** Events in a row under one heading: a batch's, or those between. */
export interface EventGroup {
  key: string;
  heading: string;
  events: Happened[];
}

export function byBatch(events: readonly Happened[]): EventGroup[] {
  const groups: EventGroup[] = [];
  for (const event of events) {
    const last = groups.at(-1);
    const begun = groups.some((group) => group.events.some((one) => one.batch));
    const heading = event.batch ? `Batch ${event.batch}` : begun ? 'Deployment' : 'Before the first batch';
    if (last?.heading === heading) last.events.push(event);
    else groups.push({ key: `${event.sequence}`, heading, events: [event] });
  }
  return groups;
}
