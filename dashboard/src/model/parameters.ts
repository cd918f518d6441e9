/** Every parameter in words, and which of them are not Teal's defaults. */
import type { Parameters } from '../api/types';
import { DEFAULTS } from './defaults';

/** So end the names of durations. */
const DURATION = /(Period|Time|Timeout|For)$/;

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
    given: name in DEFAULTS && JSON.stringify(DEFAULTS[name as keyof typeof DEFAULTS]) !== JSON.stringify(value),
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
  return typeof value === 'number' && DURATION.test(name) ? `${value} s` : String(value);
}
