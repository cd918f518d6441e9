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
  const text = await (await send(path, asked)).text();
  return (text ? JSON.parse(text) : undefined) as T;
}

/** The answer with its tag; null where nothing has changed since the tag that is known. */
export async function askIfChanged<T>(
  path: string,
  tag: string,
  signal: AbortSignal,
): Promise<{ body: T; tag: string } | null> {
  const answer = await send(path, { signal, headers: tag ? { 'if-none-match': tag } : {} });
  if (answer.status === 304) return null;
  return { body: (await answer.json()) as T, tag: answer.headers.get('etag') ?? '' };
}

/** Every page of a list, with what it tells of items that Teal cannot read. */
export async function all<T>(
  path: string,
  signal?: AbortSignal,
): Promise<Required<Omit<Listed<T>, 'continuationToken'>>> {
  const found: T[] = [];
  const unreadable: Unreadable[] = [];
  let more: string | undefined = path;
  while (more) {
    const page: Listed<T> = await ask<Listed<T>>(more, { signal });
    found.push(...page.value);
    unreadable.push(...(page.unreadable ?? []));
    const token = page.continuationToken && encodeURIComponent(page.continuationToken);
    more = token && `${path}${path.includes('?') ? '&' : '?'}continuationToken=${token}`;
  }
  return { value: found, unreadable };
}

/** Send a request. What is refused is thrown, and what nobody answers. */
async function send(path: string, { method = 'GET', body, headers = {}, signal }: Asked): Promise<Response> {
  const known: Record<string, string> = { ...headers, accept: 'application/json' };
  if (key.get()) known['x-functions-key'] = key.get();
  if (body !== undefined) known['content-type'] = 'application/json';
  const sent = { method, headers: known, body: JSON.stringify(body) ?? null, signal: signal ?? null };
  const answer = await fetch(API + path, { ...sent, cache: 'no-cache' }).catch((error: Error) => {
    throw error.name === 'AbortError' ? error : new NotReached('Teal cannot be reached');
  });
  heard(answer.headers.get('date'));
  if (answer.ok || answer.status === 304) return answer;
  throw refusal(answer, await answer.text());
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
