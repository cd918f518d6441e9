/** Deployments as the API told of them, on the demo's scale sets. */
import type { Details } from '../src/api/types';
import { makeRun, type Run } from '../src/model/run';
import { seconds } from '../src/model/words';
import approval from './captured/approval.json';
import failed from './captured/failed.json';
import finished from './captured/finished.json';
import rolledback from './captured/rolledback.json';
import rollingback from './captured/rollingback.json';
import sick from './captured/sick.json';

const all = { approval, failed, finished, rolledback, rollingback, sick };

export const captured = (name: keyof typeof all): Details => structuredClone(all[name]) as unknown as Details;

/** Its run, as if asked for right after its last event, or `later` seconds after that. */
export function runOf(name: keyof typeof all, later = 0): Run {
  const details = captured(name);
  return makeRun(details, seconds(details.events.at(-1)?.at ?? '') + later);
}

/** The run as it was after its event `sequence`. */
export function runAt(name: keyof typeof all, sequence: number, later = 10): Run {
  const details = captured(name);
  details.events = details.events.filter((event) => event.sequence <= sequence);
  Object.assign(details.deployment, { endedAt: null, status: 'inProgress' });
  return makeRun(details, seconds(details.events.at(-1)?.at ?? '') + later);
}
