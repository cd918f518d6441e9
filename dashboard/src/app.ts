/** The page: its frame, what it shows, and what was asked of it. */
import { html, nothing, svg, type TemplateResult } from 'lit-html';
import { send, unanswered } from './api/acts';
import { ApiError, HOME, key, NotReached } from './api/client';
import { Feed } from './api/feed';
import { DetailsSource, GroupsSource, loadHistory, loadNotifications } from './api/loads';
import { loadMe, type Me } from './api/me';
import { serverNow } from './api/time';
import type { CommandKind, Deployment, Details, GroupsData, Notification } from './api/types';
import { makeRun, type Run } from './model/run';
import { ended, shown, underWay } from './model/status';
import { story, type Drawn } from './model/story';
import { title } from './model/title';
import { banner, lostBar } from './parts/banner';
import { icon } from './parts/marks';
import { View } from './parts/view';
import { changeTheme, save, stick } from './parts/window';
import { link, route, type Route } from './router';
import { signIn } from './sign-in';
import { details, loading, noDeployment } from './views/details';
import { empty } from './views/empty';
import { groups, isLive, seen } from './views/groups';
import { history } from './views/history';
import { notifications } from './views/notifications';
import type { Page, Wanted } from './page';

type Asks =
  | { kind: 'deploy'; wanted: Wanted }
  | { kind: 'confirm'; command: CommandKind | 'takeBack'; deployment: Deployment }
  | { kind: 'key' };

class App extends View {
  #route: Route = { view: 'nowhere' };
  #feed: Feed<unknown> | null = null;
  #feedOf = '';
  #me: Me | null = null;
  #asks: Asks | null = null;
  #said = '';
  #attention = 0;
  #opener: HTMLElement | null = null;
  #drawn: (Drawn & { of: unknown }) | null = null;

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener('popstate', () => this.#go());
    document.addEventListener('click', this.#follow);
    document.addEventListener('scroll', stick, { passive: true });
    void this.#begin();
  }

  /** What was sent and never answered goes first; then who looks; then what is asked for. */
  async #begin(): Promise<void> {
    for (const act of unanswered()) {
      try {
        await send(act);
        this.#tell(`${act.what} was sent again, and is done`);
      } catch (error) {
        this.#tell(`${act.what}: ${(error as Error).message}`);
      }
    }
    this.#go();
    await this.#whoLooks();
  }

  async #whoLooks(): Promise<void> {
    try {
      this.#me = await loadMe();
    } catch (error) {
      if (error instanceof ApiError) this.#refused(error);
    }
    void this.update();
  }

  // Where the page is

  readonly #follow = (event: MouseEvent): void => {
    if (event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey)
      return;
    const anchor = (event.target as Element).closest<HTMLAnchorElement>('a[href]');
    if (!anchor || anchor.target || anchor.origin !== location.origin || !anchor.pathname.startsWith(HOME)) return;
    event.preventDefault();
    if (anchor.hash) return document.querySelector<HTMLElement>(anchor.hash)?.focus();
    const before = location.pathname;
    window.history.pushState(null, '', anchor.href);
    this.#go(before);
  };

  #go(before = ''): void {
    this.#route = route(location.pathname, new URLSearchParams(location.search));
    const name = this.#route.view === 'details' ? `details ${this.#route.id}` : this.#route.view;
    if (name !== this.#feedOf) this.#listen(name);
    void this.update();
    // Between the tabs of one deployment what is read stays where it is.
    const stays = this.#route.view === 'details' && before.startsWith(link.deployment(this.#route.id));
    if (before && !stays) window.scrollTo(0, 0);
  }

  #listen(name: string): void {
    this.#feed?.stop();
    this.#feedOf = name;
    this.#feed = this.#feedFor(this.#route);
    this.#feed?.start();
  }

  #feedFor(at: Route): Feed<unknown> | null {
    const tell = (): void => this.#heard();
    const make = <T>(
      load: (signal: AbortSignal) => Promise<T>,
      live: (value: T) => boolean,
      follows = false,
    ): Feed<unknown> => new Feed<T>({ load, live, follows }, tell) as Feed<unknown>;
    const some = (all: readonly Deployment[]): boolean => all.some((one) => !ended(one.status));
    if (at.view === 'groups') {
      const source = new GroupsSource();
      return make((signal) => source.load(signal), isLive);
    }
    if (at.view === 'deployments') return make(loadHistory, some);
    if (at.view === 'notifications') return make(loadNotifications, () => false);
    if (at.view !== 'details') return null;
    const source = new DetailsSource(at.id);
    return make(
      (signal) => source.load(signal),
      (of: Details) => !ended(of.deployment.status),
      true,
    );
  }

  #heard(): void {
    const error = this.#feed?.error;
    if (error instanceof ApiError) this.#refused(error);
    if (this.#route.view === 'groups' && this.#feed?.value)
      this.#attention = seen(this.#feed.value as GroupsData).filter((one) => one.attention).length;
    void this.update();
  }

  #refused(error: ApiError): void {
    if (error.status !== 401 || this.#asks) return;
    if (error.code === 'unauthenticated') this.#said = signIn() || this.#said;
    else this.#open({ kind: 'key' });
  }

  // What it shows

  get #page(): Page {
    return {
      now: serverNow(),
      me: this.#me,
      lost: this.#feed?.lost ?? 0,
      deploy: (wanted) => this.#open({ kind: 'deploy', wanted }),
      confirm: (command, deployment) => this.#open({ kind: 'confirm', command, deployment }),
      replace: (path) => {
        window.history.replaceState(null, '', path);
        this.#go();
      },
      copy: (text, what) => void navigator.clipboard.writeText(text).then(() => this.#tell(`${what} is copied`)),
      save,
    };
  }

  protected override render(): TemplateResult {
    const page = this.#page;
    const known = this.#known();
    document.title = title(this.#route, known?.run ?? null, page.lost > 0);
    document.documentElement.classList.toggle('stale', page.lost > 0);
    return html`<a class="skip" href="#main">Skip to the content</a>
      ${this.#top(page)}
      <div class="bars">${this.#bars(page)}</div>
      <main class="page" id="main" tabindex="-1">${this.#main(page, known)}</main>
      ${this.#dialog(page)}<teal-tip></teal-tip>
      <p class="sr" role="status">${known ? announced(known.run) : nothing}</p>
      <div class="toast ${this.#said ? 'on' : ''}" role="status">${this.#said}</div>`;
  }

  #top(page: Page): TemplateResult {
    const current = this.#route.view === 'groups' || this.#route.view === 'notifications' ? 'groups' : 'deployments';
    const nav = (name: string, href: string, words: unknown): TemplateResult =>
      html`<a href=${href} aria-current=${current === name ? 'page' : nothing}>${words}</a>`;
    return html`<header class="top">
      <div>
        <a class="logo" href=${link.groups()} aria-label="Teal"
          ><svg aria-hidden="true">${svg`<use href="#logo"></use>`}</svg><span>Teal</span></a
        >
        <nav class="nav" aria-label="Main">
          ${nav(
            'groups',
            link.groups(),
            html`Groups${this.#attention
              ? html`<span class="n" title="${this.#attention} need attention"
                  >${this.#attention}<span class="sr"> need attention</span></span
                >`
              : nothing}`,
          )}
          ${nav('deployments', link.deployments(), 'Deployments')}
        </nav>
        <span class="grow"></span>${this.#fresh(page)}
        ${this.#me
          ? html`<span class="who" title=${this.#me.name}
              >${icon('user')}<span>${this.#me.name}: ${this.#me.roles.join(', ')}</span></span
            >`
          : nothing}
        <button class="b quiet icon" type="button" aria-label="Light or dark" @click=${changeTheme}>
          ${icon('half')}
        </button>
      </div>
    </header>`;
  }

  #fresh(page: Page): TemplateResult {
    const at = this.#feed?.updated ?? 0;
    if (page.lost)
      return html`<span class="fresh">${icon('plug')} not reached for <teal-updated .at=${at}></teal-updated></span>`;
    return html`<span class="fresh"
      >${at ? html`Updated <teal-updated .at=${at}></teal-updated> ago` : 'Loading…'}</span
    >`;
  }

  #bars(page: Page): unknown {
    const error = this.#feed?.error;
    if (error && this.#feed?.value) {
      const next = serverNow() + Math.max(0, this.#feed.next - Date.now() / 1000);
      const what = error instanceof NotReached ? 'Teal cannot be reached' : error.message;
      return lostBar(what, () => void this.#feed?.refresh(), next);
    }
    return this.#running()
      .slice(0, 5)
      .map((one) => banner(page, one));
  }

  /** Deployments under way, but for the one that the page is about. */
  #running(): Deployment[] {
    const value = this.#feed?.value;
    if (!value) return [];
    const all =
      this.#route.view === 'groups'
        ? (value as GroupsData).deployments
        : this.#route.view === 'deployments'
          ? (value as Deployment[])
          : [];
    return all.filter((one) => underWay(one.status));
  }

  #known(): Drawn | null {
    if (this.#route.view !== 'details' || !this.#feed?.value) return null;
    const of = this.#feed.value as Details;
    if (this.#drawn?.of === of && ended(of.deployment.status)) return this.#drawn;
    const run = makeRun(of, this.#page.lost ? this.#feed.updated : serverNow());
    this.#drawn = { of, run, story: story(run) };
    return this.#drawn;
  }

  #main(page: Page, known: Drawn | null): TemplateResult {
    const [at, feed] = [this.#route, this.#feed];
    if (at.view === 'nowhere') return nowhere();
    if (!feed?.value) return this.#without(feed?.error ?? null);
    if (at.view === 'details') return known ? details(page, known.run, known.story, at) : html``;
    if (at.view === 'deployments') return history(page, feed.value as Deployment[], at.query);
    if (at.view === 'notifications') return notifications(page, feed.value as Notification[]);
    const data = feed.value as GroupsData;
    return data.groups.length + data.unreadable.length
      ? groups(page, data, new URLSearchParams(location.search))
      : empty(page);
  }

  /** Nothing has come yet: it is on its way, or why not. */
  #without(error: Error | null): TemplateResult {
    if (!error) return loading();
    if (error instanceof ApiError && error.status === 404 && this.#route.view === 'details')
      return noDeployment(this.#route.id);
    const locked = error instanceof ApiError && (error.status === 401 || error.status === 403);
    return html`<section class="card empty-1" role="alert">
      <h1>
        ${locked
          ? 'This app wants to know who you are'
          : error instanceof NotReached
            ? 'Teal cannot be reached'
            : 'This cannot be shown'}
      </h1>
      <p class="soft">${error.message}.</p>
      <div class="bs">
        ${locked
          ? html`<button class="b primary" type="button" @click=${() => this.#refusedAgain(error)}>
              ${key.get() ? 'Give another key…' : 'Open it…'}
            </button>`
          : nothing}
        <button class="b" type="button" @click=${() => void this.#feed?.refresh()}>${icon('retry')}Try again</button>
      </div>
    </section>`;
  }

  #refusedAgain(error: ApiError): void {
    if (error.code === 'unauthenticated') this.#tell(signIn());
    else this.#open({ kind: 'key' });
  }

  // What is asked

  #open(asks: Asks): void {
    this.#opener = document.activeElement as HTMLElement | null;
    this.#asks = asks;
    void this.update();
  }

  readonly #closed = (): void => {
    this.#asks = null;
    const opener = this.#opener;
    void this.update().then(() => opener?.isConnected && opener.focus());
  };

  #dialog(page: Page): TemplateResult | typeof nothing {
    const asks = this.#asks;
    if (!asks) return nothing;
    if (asks.kind === 'deploy')
      return html`<teal-deploy
        .page=${page}
        .wanted=${asks.wanted}
        .closed=${this.#closed}
        .done=${this.#started}
      ></teal-deploy>`;
    if (asks.kind === 'confirm')
      return html`<teal-confirm
        .command=${asks.command}
        .deployment=${asks.deployment}
        .closed=${this.#closed}
        .done=${this.#accepted}
      ></teal-confirm>`;
    return html`<teal-key .closed=${this.#closed} .done=${this.#unlocked}></teal-key>`;
  }

  readonly #started = (deployment: Deployment): void => {
    this.#opener = null;
    window.history.pushState(null, '', link.deployment(deployment.id));
    this.#go(HOME);
    this.#tell(`Deployment ${deployment.id} has started`);
  };

  readonly #accepted = (): void => {
    this.#tell('Accepted: it is heeded in a moment');
    void this.#feed?.refresh();
  };

  readonly #unlocked = (): void => {
    void this.#feed?.refresh();
    void this.#whoLooks();
  };

  #tell(words: string): void {
    this.#said = words;
    void this.update();
    window.setTimeout(() => {
      if (this.#said !== words) return;
      this.#said = '';
      void this.update();
    }, 6000);
  }
}

/** What a screen reader is told as it changes: not each percent. */
function announced({ deployment }: Run): string {
  const { status, currentBatch, numberOfBatches } = deployment;
  return `${shown(status).word}${currentBatch ? `, batch ${currentBatch} of ${numberOfBatches}` : ''}`;
}

const nowhere = (): TemplateResult =>
  html`<section class="card empty-1">
    <h1>There is nothing here</h1>
    <a class="b" href=${link.groups()}>All groups</a>
  </section>`;

customElements.define('teal-app', App);
