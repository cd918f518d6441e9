/** What may be said to a deployment, and by whom. */
import type { CommandKind, Deployment } from '../api/types';
import type { Me } from '../api/me';
import { ended } from './status';

export type Act = CommandKind | 'takeBack' | 'start' | 'retry';

/** The icon of each; its word is its name. */
export const COMMANDS: Readonly<Record<CommandKind | 'takeBack', string>> = {
  pause: 'pause',
  resume: 'play',
  stop: 'stop',
  rollBack: 'undo',
  approve: 'check',
  takeBack: 'x',
};

/** The commands that a deployment shows, those that make no sense now included. */
export function offered(deployment: Deployment): CommandKind[] {
  if (ended(deployment.status)) return [];
  const first: Partial<Record<string, CommandKind>> = { awaitingApproval: 'approve', paused: 'resume' };
  return [first[deployment.status] ?? 'pause', 'stop', 'rollBack'];
}

/** Why an act cannot be done now: nobody answers, whoever looks may not, or the deployment is past it; else empty. */
export function whyNot(act: Act, { me, lost }: { me: Me | null; lost: number }, of?: Deployment): string {
  if (lost) return 'Commands wait until Teal answers again';
  const may = me?.may?.[act];
  if (may && !may.allowed)
    return `Your role, ${me?.roles.join(', ') || 'none'}, may not: this takes the role ${may.needs}`;
  const found = of?.canBe.find((one) => one.command === act);
  return !of || found?.possible ? '' : found?.reason || 'It makes no sense now';
}

const NOBODY: Readonly<Record<string, string>> = {
  approve: 'it goes on',
  stop: 'it stops: VMs stay as they are',
  rollBack: 'it is rolled back',
};

/** What happens when nobody answers. */
export const whenNobody = (action: string): string => NOBODY[action] ?? action;
