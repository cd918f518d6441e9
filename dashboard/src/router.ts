/** Addresses: everything that can be looked at has one. */
import { HOME } from './api/client';

export type Tab = 'overview' | 'vms' | 'events';

export type Route =
  | { view: 'groups' }
  | { view: 'notifications' }
  | { view: 'deployments'; query: URLSearchParams }
  | { view: 'details'; id: string; tab: Tab; vm: string; query: URLSearchParams }
  | { view: 'nowhere' };

export const link = {
  groups: (): string => `${HOME}groups`,
  notifications: (): string => `${HOME}notifications`,
  deployments: (query: Record<string, string> = {}): string => `${HOME}deployments${search(query)}`,
  deployment: (id: string, tab: Tab = 'overview'): string =>
    `${HOME}deployments/${encodeURIComponent(id)}${tab === 'overview' ? '' : `/${tab}`}`,
  vm: (id: string, vm: string): string => `${link.deployment(id, 'vms')}/${encodeURIComponent(vm)}`,
};

function search(query: Record<string, string>): string {
  const given = new URLSearchParams(Object.entries(query).filter(([, value]) => value));
  return given.size ? `?${given}` : '';
}

/** The address with some of its query changed; an empty value goes. */
export function changed(query: URLSearchParams, changes: Record<string, string>): string {
  const next = Object.fromEntries(query);
  return `${location.pathname}${search({ ...next, ...changes })}`;
}

export function route(path: string, query: URLSearchParams): Route {
  const [view = 'groups', id, tab = 'overview', vm = ''] = path
    .slice(HOME.length)
    .split('/')
    .filter(Boolean)
    .map(decodeURIComponent);
  if (view === 'groups') return { view };
  if (view === 'notifications') return { view };
  if (view === 'deployments' && !id) return { view, query };
  if (view === 'deployments' && id && isTab(tab)) return { view: 'details', id, tab, vm, query };
  return { view: 'nowhere' };
}

const isTab = (text: string): text is Tab => ['overview', 'vms', 'events'].includes(text);
