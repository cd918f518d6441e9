/** A command as a question: what will happen when it is given. */
import type { CommandKind, Deployment } from '../api/types';
import { whenNobody } from './commands';
import { fromTo } from './images';
import { about, clock, counted, day, seconds } from './words';

type Consequence = readonly [icon: string, text: string];

export interface Question {
  title: string;
  will: Consequence[];
  /** What the button says that leaves all as it is. */
  no: string;
  tone: 'primary' | 'bad';
}

export function question(command: CommandKind | 'takeBack', of: Deployment, now: number): Question {
  const { groupId, currentBatch, numberOfBatches } = of;
  const batch = currentBatch ? ` in batch ${currentBatch} of ${numberOfBatches}` : '';
  const [no, tone] = ['Let it go on', 'primary'] as const;
  switch (command) {
    case 'pause':
      return { title: `Pause ${groupId}${batch}?`, will: pauses(of, now), no, tone };
    case 'resume':
      return { title: `Let ${groupId} go on?`, will: [['play', `It goes on${batch}, at once.`]], no: 'Not now', tone };
    case 'approve':
      return { title: `Let ${groupId} go on after batch ${currentBatch}?`, will: approves(of), no: 'Not now', tone };
    case 'stop':
      return { title: `Stop ${groupId} here?`, will: stops(of), no, tone: 'bad' };
    case 'rollBack':
      return { title: `Roll ${groupId} back?`, will: rollsBack(of), no, tone: 'bad' };
    case 'takeBack': {
      const text = 'It ends as stopped, and never begins. Nothing has been changed by it.';
      return { title: `Take ${groupId} out of the queue?`, will: [['x', text]], no: 'Let it wait', tone };
    }
  }
}

const previous = (of: Deployment): string => fromTo(of.image).from || 'the previous image';

const by = (at: number): string => `by ${day(at)}, ${clock(at)}`;

function pauses({ parameters }: Deployment, now: number): Consequence[] {
  const { waitTimeout, actionOnTimeout } = parameters;
  return [
    ['pause', 'Nothing new begins until somebody resumes; VMs that boot or drain go on doing so.'],
    ['shield', 'As many VMs go on serving.'],
    ['clock', `Not resumed ${by(now + waitTimeout)}? Then ${whenNobody(actionOnTimeout)}.`],
  ];
}

function approves({ currentBatch, numberOfBatches, decision }: Deployment): Consequence[] {
  const will: Consequence[] = [
    ['check', `Batch ${currentBatch + 1} of ${numberOfBatches} starts at once.`],
    ['list', `${counted(numberOfBatches - currentBatch, 'batch is', 'batches are')} left.`],
  ];
  if (decision)
    will.push(['clock', `Without an answer ${by(seconds(decision.deadline))}: ${whenNobody(decision.action)}.`]);
  return will;
}

function stops(of: Deployment): Consequence[] {
  const { serving, parameters } = of;
  const vms = serving
    ? `${serving.newImage} green and ${serving.previousImage} blue VMs go on serving`
    : 'VMs stay as they are';
  return [
    ['stop', `Nothing more is replaced: ${vms}.`],
    ['image', `New VMs will be made from ${previous(of)} again.`],
    ['retry', `Retry goes on from here later; autoscale undoes nothing for ${about(parameters.keepFor)}.`],
  ];
}

function rollsBack(of: Deployment): Consequence[] {
  const { currentBatch, serving, servingFloor } = of;
  const will: Consequence[] = currentBatch ? [['trash', 'New VMs that do not serve yet are deleted.']] : [];
  const what = serving?.newImage
    ? `${counted(serving.newImage, 'VM')} on ${fromTo(of.image).to} ${serving.newImage === 1 ? 'is' : 'are'} replaced by new ones`
    : 'What was replaced comes back';
  will.push(['undo', `${what} on ${previous(of)}, in batches.`]);
  will.push([
    'shield',
    servingFloor ? `As few as ${servingFloor} serve at any time.` : 'As many serve as before, at any time.',
  ]);
  return will;
}
