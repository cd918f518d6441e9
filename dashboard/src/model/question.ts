/** A command as a question: what will happen when it is given. */
import type { CommandKind, Deployment } from '../api/types';
import { COMMANDS, whenNobody } from './commands';
import type { Drawn } from './story';
import { about, clock, counted, day, seconds } from './words';

export interface Consequence {
  icon: string;
  text: string;
}

export interface Question {
  title: string;
  will: Consequence[];
  yes: string;
  no: string;
  tone: 'primary' | 'bad';
}

/** The story is there where its details are shown. */
export function question(
  command: CommandKind | 'takeBack',
  deployment: Deployment,
  known: Drawn | null,
  now: number,
): Question {
  const group = deployment.groupId;
  const no = command === 'approve' || command === 'resume' ? 'Not now' : 'Let it go on';
  const { word } = COMMANDS[command];
  const base = { yes: word, no, tone: 'primary' as const };
  const serving = known?.story.steps.at(-1);
  const current = known?.story.rows.find((row) => row.live);
  switch (command) {
    case 'pause':
      return { ...base, title: `Pause ${group}${inBatch(deployment)}?`, will: pauses(deployment, now) };
    case 'resume':
      return { ...base, title: `Let ${group} go on?`, will: [{ icon: 'play', text: goesOn(deployment) }] };
    case 'approve':
      return {
        ...base,
        title: `Let ${group} go on after batch ${deployment.currentBatch}?`,
        will: approves(deployment),
      };
    case 'stop': {
      const vms = serving
        ? `${serving.green} green and ${serving.blue} blue VMs go on serving`
        : 'VMs stay as they are';
      return {
        ...base,
        tone: 'bad',
        title: `Stop ${group} here?`,
        will: [
          { icon: 'stop', text: `Nothing more is replaced: ${vms}.` },
          { icon: 'image', text: `New VMs will be made from ${known?.run.from || 'the previous image'} again.` },
          { icon: 'retry', text: `Retry goes on from here later; autoscale undoes nothing for ${keeps(deployment)}.` },
        ],
      };
    }
    case 'rollBack':
      return { ...base, tone: 'bad', title: `Roll ${group} back?`, will: rollsBack(known, current?.green ?? 0) };
    case 'takeBack':
      return {
        ...base,
        no: 'Let it wait',
        title: `Take ${group} out of the queue?`,
        will: [{ icon: 'x', text: 'It ends as stopped, and never begins. Nothing has been changed by it.' }],
      };
  }
}

const inBatch = (of: Deployment): string =>
  of.currentBatch ? ` in batch ${of.currentBatch} of ${of.numberOfBatches}` : '';

const keeps = (of: Deployment): string => about(of.parameters.keepFor);

function pauses(of: Deployment, now: number): Consequence[] {
  const until = now + of.parameters.waitTimeout;
  return [
    { icon: 'pause', text: 'Nothing new begins until somebody resumes; VMs that boot or drain go on doing so.' },
    { icon: 'shield', text: 'As many VMs go on serving.' },
    {
      icon: 'clock',
      text: `Not resumed by ${day(until)}, ${clock(until)}? Then ${whenNobody(of.parameters.actionOnTimeout)}.`,
    },
  ];
}

const goesOn = (of: Deployment): string => `It goes on${inBatch(of)}, at once.`;

function approves(of: Deployment): Consequence[] {
  const left = of.numberOfBatches - of.currentBatch;
  const deadline = of.decision ? seconds(of.decision.deadline) : 0;
  return [
    { icon: 'check', text: `Batch ${of.currentBatch + 1} of ${of.numberOfBatches} starts at once.` },
    { icon: 'list', text: `${counted(left, 'batch is', 'batches are')} left.` },
    ...(deadline
      ? [
          {
            icon: 'clock',
            text: `Without an answer by ${day(deadline)}, ${clock(deadline)}: ${whenNobody(of.decision?.action ?? '')}.`,
          },
        ]
      : []),
  ];
}

function rollsBack(known: Drawn | null, starting: number): Consequence[] {
  const from = known?.run.from || 'the previous image';
  const green = known?.story.steps.at(-1)?.green ?? 0;
  const floor = known?.run.floor;
  return [
    ...(starting ? [{ icon: 'trash', text: `New VMs that do not serve yet are deleted.` }] : []),
    green
      ? {
          icon: 'undo',
          text: `${counted(green, 'VM')} on ${known?.run.to} ${green === 1 ? 'is' : 'are'} replaced by new ones on ${from}, in batches.`,
        }
      : { icon: 'undo', text: `What was replaced comes back on ${from}, in batches.` },
    { icon: 'shield', text: floor ? `As few as ${floor} serve at any time.` : 'As many serve as before, at any time.' },
  ];
}
