/** The same deployment once more. */
import type { Deployment, DeploymentBody } from '../api/types';
import type { Wanted } from '../page';

/** What a deployment was asked for, to be asked again: `onConflict` and what it retried are of that time. */
export function sameAgain({ groupId, parameters }: Deployment): Wanted {
  const { retryOf: _retry, onConflict: _conflict, signals: _signals, ...rest } = parameters;
  return { ...(rest as DeploymentBody), groupId };
}
