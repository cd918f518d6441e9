/** The words, icons and tones of statuses. Colour is only where somebody is needed. */
import type { Status } from '../api/types';
import type { Placed } from './run';
import { named } from './words';

export type Tone = '' | 'run' | 'warn' | 'bad' | 'quiet' | 'gone' | 'bad gone';

export interface Shown {
  word: string;
  icon: string;
  tone: Tone;
}

const LOOKS: Readonly<Record<Status, readonly [icon: string, tone: Tone]>> = {
  queued: ['clock', 'quiet'],
  pending: ['dots', 'quiet'],
  inProgress: ['progress', 'run'],
  paused: ['pause', 'warn'],
  awaitingApproval: ['hand', 'warn'],
  baking: ['eye', 'run'],
  stopping: ['stop', 'warn'],
  rollingBack: ['undo', 'warn'],
  finished: ['check', ''],
  failed: ['cross', 'bad'],
  stopped: ['stop', 'quiet'],
  rolledBack: ['undo', 'warn'],
};

const ENDS: ReadonlySet<Status> = new Set(['finished', 'failed', 'stopped', 'rolledBack']);

/** Whether a deployment is over. */
export const ended = (status: Status): boolean => ENDS.has(status);

/** Whether a deployment has a scale set: the banner tells of it. */
export const underWay = (status: Status): boolean => !ended(status) && status !== 'queued';

/** A status by its name; a newer version of Teal may have others. */
export function shown(status: Status): Shown {
  const [icon, tone] = LOOKS[status] ?? ['dot', ''];
  return { word: status === 'awaitingApproval' ? 'Waiting for approval' : named(status), icon, tone };
}

/** The six words of a VM: the API's five, and one for a VM that is gone. */
export function vmShown({ status, reason, gone, comes }: Placed): Shown {
  if (reason.startsWith('Goes in batch')) return { word: reason, icon: 'undo', tone: 'quiet' };
  if (gone && status === 'unhealthy') return { word: 'Unhealthy, deleted', icon: 'cross', tone: 'bad gone' };
  if (gone) return { word: 'Deleted', icon: 'dash', tone: 'gone' };
  const [icon, tone] = VM_LOOKS[status] ?? [comes ? 'half' : 'dot', ''];
  return { word: reason === 'Draining' ? reason : named(status), icon, tone };
}

const VM_LOOKS: Readonly<Record<string, readonly [icon: string, tone: Tone]>> = {
  healthy: ['check', ''],
  unhealthy: ['cross', 'bad'],
  detached: ['leave', 'quiet'],
  pending: ['dots', 'quiet'],
};
