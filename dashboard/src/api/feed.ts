/** What a view shows, asked for again and again: by one request at a time, and by none while the tab is hidden. */
import { pause } from '../model/pace';
import { NotReached } from './client';

export interface Source<T> {
  /** The newest value; the one before where nothing is new. */
  load: (signal: AbortSignal) => Promise<T>;
  live: (value: T) => boolean;
  /** It follows one deployment. */
  follows: boolean;
}

export class Feed<T> {
  value: T | null = null;
  /** Why the last refresh brought nothing. */
  error: Error | null = null;
  /** When it was last refreshed, and will be next: seconds of the reader's clock. */
  updated = 0;
  next = 0;
  #changed = 0;
  #failures = 0;
  #timer = 0;
  #running: AbortController | null = null;

  constructor(
    private readonly source: Source<T>,
    private readonly tell: () => void,
  ) {}

  start(): void {
    document.addEventListener('visibilitychange', this.#shown);
    void this.refresh();
  }

  stop(): void {
    document.removeEventListener('visibilitychange', this.#shown);
    window.clearTimeout(this.#timer);
    this.#running?.abort();
  }

  /** For how long nobody has answered; 0 while somebody does. */
  get lost(): number {
    return this.error instanceof NotReached && this.updated ? Math.max(1, now() - this.updated) : 0;
  }

  async refresh(): Promise<void> {
    if (this.#running) return;
    window.clearTimeout(this.#timer);
    const running = (this.#running = new AbortController());
    try {
      const value = await this.source.load(running.signal);
      if (value !== this.value) this.#changed = now();
      this.value = value;
      this.error = null;
      this.#failures = 0;
      this.updated = now();
    } catch (error) {
      if (running.signal.aborted) return;
      this.error = error as Error;
      this.#failures += 1;
    } finally {
      this.#running = null;
    }
    this.#plan();
    this.tell();
  }

  #plan(): void {
    const { follows, live } = this.source;
    const isLive = this.value === null || live(this.value);
    const seconds = pause({ follows, live: isLive, quiet: now() - this.#changed, failures: this.#failures });
    this.next = now() + seconds;
    if (!document.hidden) this.#timer = window.setTimeout(() => void this.refresh(), seconds * 1000);
  }

  readonly #shown = (): void => {
    if (document.hidden) window.clearTimeout(this.#timer);
    else void this.refresh();
  };
}

const now = (): number => Date.now() / 1000;
