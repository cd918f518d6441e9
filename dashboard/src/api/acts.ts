/**
 * Requests that change something. Each is kept in the tab until it is answered: after a reload the same one is sent
 * again first, with its key, so that it is done once.
 */
import { ApiError, ask, NotReached } from './client';

const KEPT = 'teal.acts';

export interface Act {
  key: string;
  method: 'POST' | 'DELETE';
  path: string;
  body?: unknown;
  /** What it is, for whoever reads that it was sent again. */
  what: string;
}

export const newAct = (what: string, method: Act['method'], path: string, body?: unknown): Act => ({
  key: crypto.randomUUID(),
  method,
  path,
  what,
  ...(body === undefined ? {} : { body }),
});

/** Acts that were sent, and whose answers did not come. */
export function unanswered(): Act[] {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT) ?? '[]') as Act[];
  } catch {
    return [];
  }
}

function keep(acts: readonly Act[]): void {
  if (acts.length) sessionStorage.setItem(KEPT, JSON.stringify(acts));
  else sessionStorage.removeItem(KEPT);
}

const under = new Map<string, Promise<unknown>>();

/** Send an act; sent twice at one time, it is sent once. */
export function send<T>(act: Act): Promise<T> {
  const running = under.get(act.key);
  if (running) return running as Promise<T>;
  const sent = carryOut<T>(act).finally(() => under.delete(act.key));
  under.set(act.key, sent);
  return sent;
}

async function carryOut<T>(act: Act): Promise<T> {
  keep([...unanswered().filter((one) => one.key !== act.key), act]);
  try {
    const headers: Record<string, string> = act.method === 'POST' ? { 'idempotency-key': act.key } : {};
    const answer = await ask<T>(act.path, { method: act.method, headers, body: act.body });
    forget(act);
    return answer;
  } catch (error) {
    if (!mayStillHappen(error)) forget(act);
    throw error;
  }
}

const forget = (act: Act): void => keep(unanswered().filter((one) => one.key !== act.key));

/** Nobody knows whether it was done: it can be sent again. */
export function mayStillHappen(error: unknown): boolean {
  if (error instanceof NotReached) return true;
  return error instanceof ApiError && (error.code === 'requestInProgress' || error.status >= 502);
}
