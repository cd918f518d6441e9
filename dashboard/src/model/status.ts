/** The words, icons and tones of statuses. Colour is only where somebody is needed. */
import type { Status } from '../api/types';
import type { Placed } from './run';
import { sentence } from './words';

export type Tone = '' | 'run' | 'warn' | 'bad' | 'quiet' | 'gone' | 'bad gone';

export interface Shown {
  word: string;
  icon: string;
  tone: Tone;
}

export const STATUS: Readonly<Record<Status, Shown>> = {
  queued: { word: 'Queued', icon: 'clock', tone: 'quiet' },
  pending: { word: 'Pending', icon: 'dots', tone: 'quiet' },
  inProgress: { word: 'In progress', icon: 'progress', tone: 'run' },
  paused: { word: 'Paused', icon: 'pause', tone: 'warn' },
  awaitingApproval: { word: 'Waiting for approval', icon: 'hand', tone: 'warn' },
  baking: { word: 'Baking', icon: 'eye', tone: 'run' },
  stopping: { word: 'Stopping', icon: 'stop', tone: 'warn' },
  rollingBack: { word: 'Rolling back', icon: 'undo', tone: 'warn' },
  finished: { word: 'Finished', icon: 'check', tone: '' },
  failed: { word: 'Failed', icon: 'cross', tone: 'bad' },
  stopped: { word: 'Stopped', icon: 'stop', tone: 'quiet' },
  rolledBack: { word: 'Rolled back', icon: 'undo', tone: 'warn' },
};

const ENDS: ReadonlySet<Status> = new Set(['finished', 'failed', 'stopped', 'rolledBack']);

/** Whether a deployment is over. */
export const ended = (status: Status): boolean => ENDS.has(status);

/** Whether a deployment has a scale set: the banner tells of it. */
export const underWay = (status: Status): boolean => !ended(status) && status !== 'queued';

/** A status that a newer version of Teal may have, by its own name. */
export const shown = (status: Status): Shown => STATUS[status] ?? { word: status, icon: 'dot', tone: '' };

/** The six words of a VM: the API's five, and one for a VM that is gone. */
export function vmShown(vm: Placed): Shown {
  if (vm.reason.startsWith('Goes in batch')) return { word: vm.reason, icon: 'undo', tone: 'quiet' };
  if (vm.gone) {
    return vm.status === 'unhealthy'
      ? { word: 'Unhealthy, deleted', icon: 'cross', tone: 'bad gone' }
      : { word: 'Deleted', icon: 'dash', tone: 'gone' };
  }
  switch (vm.status) {
    case 'healthy':
      return { word: 'Healthy', icon: 'check', tone: '' };
    case 'unhealthy':
      return { word: 'Unhealthy', icon: 'cross', tone: 'bad' };
    case 'detached':
      return { word: vm.reason === 'Draining' ? 'Draining' : 'Detached', icon: 'leave', tone: 'quiet' };
    case 'pending':
      return { word: 'Pending', icon: 'dots', tone: 'quiet' };
    default:
      return { word: sentence(vm.status), icon: vm.comes ? 'half' : 'dot', tone: '' };
  }
}
