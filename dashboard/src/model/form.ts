/** The dialog's form: what is shown, what may be changed, and what is asked for. */
import type { Deployment, DeploymentBody, Group, HealthCheckType, ImageVersion } from '../api/types';
import { DEFAULTS } from './defaults';
import { rollNeeded } from './groups';
import { label } from './images';
import type { Wanted } from '../page';
import { counted, day, listed, seconds } from './words';

export const CHECKS: readonly HealthCheckType[] = [
  'vmState',
  'applicationHealth',
  'loadBalancer',
  'applicationGateway',
];

/** What is asked for: only what somebody gave, so that the group's defaults hold for the rest. */
export type Body = { [K in keyof DeploymentBody]?: DeploymentBody[K] | undefined };

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

/** The value of a field as it would hold: what is asked for, what was retried, the group's, Teal's. */
export function holds<K extends keyof Body>(name: K, body: Body, { group, retried }: Known): Body[K] {
  const { drainingTimeout, healthCheckTypes } = group;
  const ofGroup = { ...group.defaults, drainingTimeout, healthCheckTypes } as Body;
  return body[name] ?? (retried?.parameters as Body | undefined)?.[name] ?? ofGroup[name] ?? DEFAULTS[name];
}

export interface Choice {
  value: string;
  words: string;
  /** It cannot be deployed. */
  off: boolean;
}

/** The images that can be chosen, newest first. */
export function imageChoices(versions: readonly ImageVersion[], group: Group): Choice[] {
  return versions.map((one) => {
    const refused = notDeployable(one, group.state?.location ?? '');
    const published = one.publishedAt && `published ${day(seconds(one.publishedAt))}`;
    const current = one.version === label(group.state?.image) && 'runs now';
    const words = refused ? `cannot be deployed: ${refused}` : current || published;
    return { value: one.version, words: [one.version, words].filter(Boolean).join(' · '), off: refused !== '' };
  });
}

/** Where nobody has said what to deploy: what the prompt asks for, else the newest image. */
export function chosen(body: Body, group: Group, versions: readonly ImageVersion[]): Body {
  if (body.image || body.retryOf || rollNeeded(group)) return body;
  const newest = imageChoices(versions, group).find((one) => !one.off);
  if (!newest || newest.value === label(group.state?.image)) return body;
  return { ...body, image: newest.value };
}

function notDeployable({ provisioningState, regions }: ImageVersion, location: string): string {
  if (provisioningState !== 'Succeeded') return `it is ${provisioningState.toLowerCase()}`;
  if (!location) return '';
  const plain = (name: string): string => name.toLowerCase().replaceAll(' ', '');
  const found = Object.keys(regions).find((name) => plain(name) === plain(location));
  if (!found) return `not in ${location}`;
  return /Completed|Unknown/.test(regions[found] ?? '') ? '' : `not yet in ${location}`;
}

const declares = (group: Group, signal: string): { timeout: number } | undefined =>
  group.signals.find((one) => one.type === signal) as { timeout: number } | undefined;

/** Why a health check type cannot be chosen or left out; empty where it can, as for the two fields below. */
export function checkRule(type: HealthCheckType, group: Group): string {
  if (type === 'vmState') return 'always looked at';
  return group.healthCheckTypes.includes(type) ? '' : 'not defined by the group';
}

/** Whether something judges the health of a batch: a check, or the signal vmReady. */
export const judged = (group: Group, checks: readonly string[]): boolean =>
  checks.length > 0 || declares(group, 'vmReady') !== undefined;

/** Min. Health needs something that judges. */
export function minHealthRule(group: Group, checks: readonly string[]): string {
  if (judged(group, checks)) return '';
  const why = declares(group, 'vmReadyToShutdown')
    ? 'The signal vmReadyToShutdown says nothing of health'
    : 'Nothing judges health';
  return `${why}: this takes a health check, or the signal vmReady`;
}

/** A declared vmReadyToShutdown takes the place of the draining timeout. */
export function drainRule(group: Group): string {
  const signal = declares(group, 'vmReadyToShutdown');
  return signal ? `The signal vmReadyToShutdown replaces it: each VM is waited for, ${signal.timeout} s at most` : '';
}

/** How many VMs each batch has: as the plan will say, shown before it comes. */
export function batchSizes(vms: number, body: Body, known: Known): number[] {
  const canary = holds('canary', body, known)?.size ?? 0;
  const rest = Math.max(0, vms - canary);
  const size = holds('batchSize', body, known);
  const share = holds('batchSizePercentage', body, known) ?? 100;
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
  return `${counted(sizes.length, 'batch', 'batches')}${of}${canary ? `, a canary of ${sizes[0]} first` : ''}`;
}
