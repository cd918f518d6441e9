/** What a deployment waits for: until when, and what happens then. */
import type { Deployment } from '../api/types';
import { whenNobody } from './commands';
import type { Run } from './run';
import type { Kind, Story } from './story';
import { about, seconds, sentence, withoutBatch } from './words';

export interface Waiting {
  what: string;
  /** From when until when, where that is known. */
  span: { from: number; until: number } | null;
  /** What follows the time that is left. */
  left: string;
  then: string;
  tone: '' | 'warn';
}

const FAILS: Readonly<Record<string, string>> = {
  discardGreen: 'its green VMs are deleted',
  keep: 'its green VMs are kept to be looked at',
  rollBack: 'everything is rolled back',
};

/** What follows a batch that fails. */
export const whenFailed = (onFailure: string | null | undefined): string => FAILS[onFailure ?? 'discardGreen'] ?? '';

export function waiting(run: Run, story: Story): Waiting {
  const { decision } = run.deployment;
  if (decision) {
    return {
      what: decision.asked === 'approve' ? 'Somebody’s approval' : 'Somebody to let it go on',
      span: { from: seconds(decision.since), until: seconds(decision.deadline) },
      left: 'left.',
      then: `If nobody answers, ${whenNobody(decision.action)}.`,
      tone: 'warn',
    };
  }
  const live = story.rows.find((row) => row.live)?.live;
  const what = waitsFor(run.deployment.reason, live?.kind);
  const known = live && Number.isFinite(live.until) ? { from: live.from, until: live.until } : null;
  if (live?.kind === 'health' && known) return { what, span: known, ...verdict(run), tone: '' };
  if (live?.kind === 'drain' && known)
    return { what, span: known, left: 'for connections to finish.', then: 'Then they are deleted.', tone: '' };
  if (live?.kind === 'bake' && known)
    return { what, span: known, left: 'to be watched.', then: 'Then it is finished.', tone: '' };
  return { what, span: null, left: '', then: '', tone: '' };
}

/** About how long is left of a deployment; empty while it waits for somebody, and where nobody can tell. */
export function timeLeft(of: Deployment, now: number): string {
  return of.expectedEndAt && !of.decision ? `about ${about(seconds(of.expectedEndAt) - now)} left` : '';
}

/** The reason of the API, without what a heading says already. */
export function waitsFor(reason: string, doing?: Kind): string {
  const said = withoutBatch(reason);
  const waits = said.replace(/^waiting for /, '');
  // What has just happened is not what is waited for.
  return sentence(waits === said ? ((doing && NEXT[doing]) ?? said) : waits);
}

const NEXT: Readonly<Partial<Record<Kind, string>>> = {
  launch: 'new VMs to be launched',
  health: 'new VMs to become healthy',
  drain: 'connections to finish',
  terminate: 'VMs to be deleted',
  discard: 'VMs to be discarded',
  bake: 'the end of the watch',
};

function verdict(run: Run): { left: string; then: string } {
  const { parameters } = run.deployment;
  const judged = parameters.healthCheckTypes.length > 0;
  if (!judged) return { left: 'of the grace period left.', then: 'Nothing is judged: then it goes on.' };
  const below =
    parameters.minHealth === null
      ? `Below ${parameters.batchMinHealthyPercentage ?? 50} % healthy`
      : `With ${parameters.minHealth} % unhealthy`;
  return {
    left: 'of the grace period left.',
    then: `${below} the batch then fails, and ${whenFailed(parameters.onFailure)}.`,
  };
}
