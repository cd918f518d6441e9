/** The dialog's form: what is shown, what may be changed, and what is asked for. */
import type { Deployment, DeploymentBody, Group, HealthCheckType, ImageVersion } from '../api/types';
import { rollNeeded } from './groups';
import { label } from './images';
import type { Wanted } from '../page';
import { day, listed, seconds } from './words';

/** What is shown where nothing is asked for: Teal's own defaults, below the group's. */
const OWN = {
  batchSizePercentage: 20,
  gracePeriod: 600,
  drainingTimeout: 120,
  bakeTime: 0,
  approvals: 'none',
  onFailure: 'discardGreen',
  onConflict: 'reject',
  comment: '',
} as const;

export const CHECKS: readonly HealthCheckType[] = [
  'vmState',
  'applicationHealth',
  'loadBalancer',
  'applicationGateway',
];

/** What is asked for: only what somebody gave, so that the group's defaults hold for the rest. */
export type Body = DeploymentBody;

export interface Known {
  group: Group;
  /** The deployment that is retried: its values are shown, and hold where nothing else is asked for. */
  retried: Deployment | null;
}

export function beginning({ groupId: _, ...wanted }: Wanted): Body {
  const given = Object.entries(wanted).filter(([, value]) => value !== null && value !== undefined && value !== '');
  const body = Object.fromEntries(given) as Body;
  // The parameters of a deployment show both sizes; one of them may be asked for.
  if (body.batchSize) delete body.batchSizePercentage;
  if (body.minHealth) delete body.batchMinHealthyPercentage;
  return body;
}

/** The value of a field as it would hold. */
export function holds<K extends keyof Body>(name: K, body: Body, known: Known): Body[K] {
  const given = body[name];
  if (given !== undefined && given !== null) return given;
  const before = (known.retried?.parameters as Body | undefined)?.[name];
  if (before !== undefined && before !== null) return before;
  const of =
    name === 'drainingTimeout' ? known.group.drainingTimeout : (known.group.defaults as Body | undefined)?.[name];
  return (of ?? (OWN as Body)[name]) as Body[K];
}

/** The body with one field changed; undefined takes it out. */
export function change<K extends keyof Body>(body: Body, name: K, value: Body[K] | undefined): Body {
  const { [name]: _, ...rest } = body;
  return value === undefined ? (rest as Body) : ({ ...rest, [name]: value } as Body);
}

export interface Choice {
  value: string;
  words: string;
  /** Why it cannot be deployed. */
  refused: string;
}

/** The images that can be chosen, newest first. */
export function imageChoices(versions: readonly ImageVersion[], group: Group): Choice[] {
  const runs = group.state?.image ? label(group.state.image) : '';
  return versions.map((one) => {
    const refused = notDeployable(one, group.state?.location ?? '');
    const published = one.publishedAt ? `published ${day(seconds(one.publishedAt))}` : '';
    const current = one.version === runs ? 'runs now' : '';
    const words = [one.version, refused ? `cannot be deployed: ${refused}` : current || published]
      .filter(Boolean)
      .join(' · ');
    return { value: one.version, words, refused };
  });
}

/** Where nobody has said what to deploy: what the prompt asks for, else the newest image. */
export function chosen(body: Body, group: Group, versions: readonly ImageVersion[]): Body {
  if (body.image || body.retryOf || rollNeeded(group)) return body;
  const newest = imageChoices(versions, group).find((one) => !one.refused);
  if (!newest || newest.value === label(group.state?.image)) return body;
  return { ...body, image: newest.value };
}

function notDeployable(one: ImageVersion, location: string): string {
  if (one.provisioningState !== 'Succeeded') return `it is ${one.provisioningState.toLowerCase()}`;
  const region = Object.entries(one.regions).find(
    ([name]) => name.toLowerCase().replaceAll(' ', '') === location.toLowerCase(),
  );
  if (!location) return '';
  if (!region) return `not in ${location}`;
  return region[1] === 'Completed' || region[1] === 'Unknown' ? '' : `not yet in ${location}`;
}

export interface Rule {
  off: boolean;
  why: string;
}

const declares = (group: Group, signal: string): { timeout: number } | undefined =>
  group.signals.find((one) => one.type === signal) as { timeout: number } | undefined;

/** A health check type is open where the group defines it. */
export function checkRule(type: HealthCheckType, group: Group): Rule {
  if (!group.healthCheckTypes.includes(type))
    return { off: true, why: type === 'vmState' ? 'always looked at' : 'not defined by the group' };
  return type === 'vmState' ? { off: true, why: 'always looked at' } : { off: false, why: '' };
}

/** What a group without health checks is told. */
export const notJudged = (group: Group, chosen: readonly string[]): boolean =>
  chosen.length === 0 && !declares(group, 'vmReady');

/** Min. Health needs something that judges: a check, or the signal vmReady. */
export function minHealthRule(group: Group, chosen: readonly string[]): Rule {
  if (chosen.length > 0 || declares(group, 'vmReady')) return { off: false, why: '' };
  const why = declares(group, 'vmReadyToShutdown')
    ? 'The signal vmReadyToShutdown says nothing of health: this takes a health check, or the signal vmReady'
    : 'Nothing judges health: this takes a health check, or the signal vmReady';
  return { off: true, why };
}

/** A declared vmReadyToShutdown takes the place of the draining timeout. */
export function drainRule(group: Group): Rule {
  const signal = declares(group, 'vmReadyToShutdown');
  if (!signal) return { off: false, why: '' };
  return {
    off: true,
    why: `The signal vmReadyToShutdown replaces it: each VM is waited for, ${signal.timeout} s at most`,
  };
}

/** How many VMs each batch has: as the plan will say, shown before it comes. */
export function batchSizes(vms: number, body: Body, known: Known): number[] {
  const canary = holds('canary', body, known)?.size ?? 0;
  const rest = Math.max(0, vms - canary);
  const size = holds('batchSize', body, known);
  const share = holds('batchSizePercentage', body, known) ?? OWN.batchSizePercentage;
  const wanted = size ? Math.ceil(rest / size) : Math.ceil(100 / share);
  const count = Math.max(1, Math.min(rest, wanted));
  const sizes = Array.from(
    { length: rest ? count : 0 },
    (_, i) => Math.floor(rest / count) + (i < rest % count ? 1 : 0),
  );
  return canary && vms > canary ? [canary, ...sizes] : sizes;
}

/** `5 batches of 2`, `4 batches of 2 or 3, a canary of 1 first`. */
export function sizesInWords(sizes: readonly number[], canary: boolean): string {
  const rest = canary ? sizes.slice(1) : sizes;
  const different = [...new Set(rest)].sort((one, other) => one - other);
  const of = different.length ? ` of ${listed(different.map(String)).replace(' and ', ' or ')}` : '';
  return `${sizes.length} ${sizes.length === 1 ? 'batch' : 'batches'}${of}${canary ? `, a canary of ${sizes[0]} first` : ''}`;
}
