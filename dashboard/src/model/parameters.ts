/** Every parameter in words, and which of them are not Teal's defaults. */
import type { Parameters } from '../api/types';

/** Teal's own defaults (docs/api.md). */
const DEFAULTS: Readonly<Record<string, unknown>> = {
  image: null,
  batchSizePercentage: 20,
  batchSize: null,
  canary: null,
  approvals: 'none',
  bakeTime: 0,
  gracePeriod: 600,
  stableFor: 0,
  batchMinHealthyPercentage: 50,
  minHealth: null,
  maxUnhealthyPercentage: 100,
  tolerateUnhealthy: false,
  drainingTimeout: 120,
  onFailure: 'discardGreen',
  onConflict: 'reject',
  waitTimeout: 86400,
  actionOnTimeout: 'stop',
  keepFor: 86400,
  protectedVms: 'refuse',
  stoppedVms: 'refuse',
  attachedVms: 'refuse',
  adjust: false,
  force: false,
  retryOf: null,
  comment: '',
};

const IN_SECONDS = new Set([
  'gracePeriod',
  'allocationTimeout',
  'stableFor',
  'bakeTime',
  'drainingTimeout',
  'waitTimeout',
  'keepFor',
]);

export interface Parameter {
  name: string;
  value: string;
  /** It is not what Teal takes by itself. */
  given: boolean;
}

export function parameters(of: Parameters): Parameter[] {
  return Object.entries(of).map(([name, value]) => ({
    name,
    value: inWords(name, value),
    given: name in DEFAULTS && JSON.stringify(DEFAULTS[name]) !== JSON.stringify(value),
  }));
}

function inWords(name: string, value: unknown): string {
  if (value === null || value === undefined || value === '') return 'none';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (Array.isArray(value)) return value.map((one) => inWords('', one)).join(', ') || 'none';
  if (typeof value === 'object')
    return Object.entries(value)
      .filter(([, part]) => part !== null)
      .map(([part, said]) => `${part} ${inWords(part, said)}`)
      .join(', ');
  return IN_SECONDS.has(name) ? `${value} s` : String(value);
}
