/** Requests to the API. What is refused is an `ApiError`; what is not answered at all, a `NotReached`. */
import type { Listed, Unreadable } from './types';
import { heard } from './time';

/** The folder of the page is `…/dashboard/`: the API is beside it. */
export const HOME = new URL('..', import.meta.url).pathname;
const API = new URL('../..', import.meta.url).pathname;

const KEY = 'teal.key';

export interface Detail {
  code: string;
  message: string;
  target?: string;
  remedy?: string;
  severity?: string;
}

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly target: string | undefined,
    readonly details: readonly Detail[],
    readonly retryAfter: number,
  ) {
    super(message);
  }
}

export class NotReached extends Error {}

/** A key is kept for this tab only. */
export const key = {
  get: (): string => sessionStorage.getItem(KEY) ?? '',
  set: (value: string): void => sessionStorage.setItem(KEY, value),
};

export interface Asked {
  method?: 'GET' | 'POST' | 'DELETE';
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal | undefined;
}

/** The whole address of a path of the API, to copy. */
export const address = (path: string): string => new URL(`${API}${path}`, location.origin).href;

export async function ask<T>(path: string, asked: Asked = {}): Promise<T> {
  const answer = await send(path, asked);
  heard(answer.headers.get('date'));
  const text = await answer.text();
  if (!answer.ok) throw refusal(answer, text);
  return (text ? JSON.parse(text) : undefined) as T;
}

/** The answer with its tag; null where nothing has changed since the tag that is known. */
export async function askIfChanged<T>(
  path: string,
  tag: string,
  signal: AbortSignal,
): Promise<{ body: T; tag: string } | null> {
  const answer = await send(path, { signal, headers: tag ? { 'if-none-match': tag } : {} });
  heard(answer.headers.get('date'));
  if (answer.status === 304) return null;
  const text = await answer.text();
  if (!answer.ok) throw refusal(answer, text);
  return { body: JSON.parse(text) as T, tag: answer.headers.get('etag') ?? '' };
}

/** Every page of a list, with what it tells of items that Teal cannot read. */
export async function all<T>(path: string, signal?: AbortSignal): Promise<Required<Omit<Listed<T>, 'continuationToken'>>> {
  const found: T[] = [];
  const unreadable: Unreadable[] = [];
  let token = '';
  do {
    const more = token ? `${path.includes('?') ? '&' : '?'}continuationToken=${encodeURIComponent(token)}` : '';
    const page = await ask<Listed<T>>(path + more, { signal });
    found.push(...page.value);
    unreadable.push(...(page.unreadable ?? []));
    token = page.continuationToken ?? '';
  } while (token);
  return { value: found, unreadable };
}

async function send(path: string, { method = 'GET', body, headers = {}, signal }: Asked): Promise<Response> {
  const known: Record<string, string> = { ...headers, accept: 'application/json' };
  if (key.get()) known['x-functions-key'] = key.get();
  if (body !== undefined) known['content-type'] = 'application/json';
  try {
    return await fetch(API + path, {
      method,
      headers: known,
      body: body === undefined ? null : JSON.stringify(body),
      signal: signal ?? null,
      cache: 'no-cache',
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new NotReached('Teal cannot be reached');
  }
}

/** The host's own refusals (401, 404, 503 while it starts) have no body. */
function refusal(answer: Response, text: string): ApiError {
  const error = envelope(text);
  const wait = Number(answer.headers.get('retry-after') ?? 0);
  const message = error?.message ?? OF_THE_HOST[answer.status] ?? `The app answered ${answer.status}`;
  return new ApiError(answer.status, error?.code ?? '', message, error?.target, error?.details ?? [], wait);
}

const OF_THE_HOST: Readonly<Record<number, string>> = {
  401: 'The app wants a key, or who you are',
  403: 'Your role may not see this',
  503: 'The app is starting, or busy',
};

interface Envelope extends Detail {
  details?: Detail[];
}

function envelope(text: string): Envelope | undefined {
  try {
    return (JSON.parse(text) as { error?: Envelope }).error;
  } catch {
    return undefined;
  }
}
