/** The title of the tab: it carries the status. */
import type { Route } from '../router';
import type { Run } from './run';
import { ended, shown } from './status';

export function title(route: Route, run: Run | null, lost: boolean): string {
  return `${words(route, run, lost)} – Teal`;
}

function words(route: Route, run: Run | null, lost: boolean): string {
  if (route.view === 'deployments') return 'Deployments';
  if (route.view === 'notifications') return 'Published images';
  if (route.view !== 'details') return 'Groups';
  if (!run) return route.id;
  const { status, progress, groupId } = run.deployment;
  const what = `${groupId} ${run.from && run.from !== run.to ? `${run.from} → ` : ''}${run.to}`;
  if (lost) return `Not reached · ${what}`;
  if (status === 'awaitingApproval') return `Approve? · ${what}`;
  if (status === 'rollingBack') return `Rolling back · ${groupId} to ${run.from}`;
  return `${ended(status) || status === 'queued' || status === 'paused' ? shown(status).word : `${progress} %`} · ${what}`;
}
