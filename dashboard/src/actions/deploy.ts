/** The dialog: what to deploy and how, with the dry run's plan beside it. */
import { html, nothing, type TemplateResult } from 'lit-html';
import { mayStillHappen, newAct, send, type Act } from '../api/acts';
import { address, ApiError, ask } from '../api/client';
import type { Deployment, Group, ImageVersion, Listed, Plan } from '../api/types';
import { beginning, change, chosen, type Body, type Known } from '../model/form';
import { label } from '../model/images';
import { verdict } from '../model/plan';
import { tealDeploy } from '../model/teal';
import { counted } from '../model/words';
import type { Page, Wanted } from '../page';
import { button } from '../parts/commands';
import { icon, note, version } from '../parts/marks';
import { fields } from './fields';
import { Modal } from './modal';
import { planView } from './plan-view';

const SETTLED = 400;

export type Setter = <K extends keyof Body>(name: K, value: Body[K] | undefined) => void;

class Deploy extends Modal {
  page!: Page;
  wanted!: Wanted;
  /** Told when it was started, with the deployment. */
  done: (deployment: Deployment) => void = () => undefined;
  #known: Known | null = null;
  #versions: ImageVersion[] = [];
  #body: Body = {};
  #plan: Plan | null = null;
  #planning = true;
  #sending = false;
  /** Why there is no plan, and why it was not started. */
  #problem: Error | null = null;
  #refusal = '';
  #timer = 0;
  #asked: AbortController | null = null;
  #act: Act | null = null;

  override connectedCallback(): void {
    this.#body = beginning(this.wanted);
    super.connectedCallback();
    void this.#load().then(() => this.#ask());
  }

  disconnectedCallback(): void {
    window.clearTimeout(this.#timer);
    this.#asked?.abort();
  }

  async #load(): Promise<void> {
    const { groupId, retryOf } = this.wanted;
    try {
      const [group, retried, versions] = await Promise.all([
        ask<Group>(`groups/${groupId}`),
        retryOf ? ask<Deployment>(`deployments/${retryOf}`) : null,
        // A group without an image of its own has no versions to choose from.
        ask<Listed<ImageVersion>>(`groups/${groupId}/images?limit=50`).catch(() => ({ value: [] })),
      ]);
      this.#known = { group, retried };
      this.#versions = versions.value;
      this.#body = chosen(this.#body, group, versions.value);
    } catch (error) {
      this.#problem = error as Error;
    }
    void this.update();
  }

  readonly #set: Setter = (name, value) => {
    this.#body = change(this.#body, name, value);
    this.#replan();
  };

  #replan(): void {
    this.#planning = true;
    // What was asked before says nothing of what the form says now.
    this.#asked?.abort();
    void this.update();
    window.clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => void this.#ask(), SETTLED);
  }

  /** Ask for the plan of what the form says now. */
  async #ask(): Promise<void> {
    this.#asked?.abort();
    const asked = (this.#asked = new AbortController());
    const path = `groups/${this.wanted.groupId}/deployments?dryRun=true`;
    try {
      const plan = await ask<Plan>(path, { method: 'POST', body: this.#body, signal: asked.signal });
      if (asked.signal.aborted) return;
      this.#plan = plan;
      this.#problem = null;
      this.#planning = false;
    } catch (error) {
      if (asked.signal.aborted) return;
      this.#problem = error as Error;
      const wait = error instanceof ApiError ? error.retryAfter : 0;
      this.#planning = wait > 0;
      if (wait) this.#timer = window.setTimeout(() => void this.#ask(), wait * 1000);
      else this.#plan = null;
    }
    void this.update();
  }

  protected override render(): TemplateResult {
    const { groupId, retryOf } = this.wanted;
    return html`<dialog class="dlg" aria-labelledby="h-dep" @close=${this.onClose}>
      <header>
        <h1 id="h-dep">${retryOf ? `Retry on ${groupId}` : `Deploy to ${groupId}`}</h1>
        <span class="soft s">${this.#known ? about(this.#known.group) : nothing}</span><span class="grow"></span>
        <button class="b quiet icon" type="button" aria-label="Close" @click=${() => this.close()}>${icon('x')}</button>
      </header>
      <div class="two">
        <form class="form" @submit=${this.#submit} id="f-deploy">
          ${this.#known
            ? fields(this.#known, this.#versions, this.#body, this.#plan, this.#set)
            : html`<p class="mute">Loading the group…</p>`}
        </form>
        <div
          class="plan ${this.#planning ? 'stale' : ''}"
          role="region"
          aria-label="What will happen"
          aria-busy=${this.#planning ? 'true' : 'false'}
          tabindex="0"
        >
          ${this.#refusal
            ? html`<div role="alert">${note('bad', 'cross', html`<p><b>Not started.</b> ${this.#refusal}</p>`)}</div>`
            : nothing}
          ${planView(this.#plan, this.#problem, this.#body, this.#known, (fix) => this.#fix(fix))}
        </div>
      </div>
      ${this.#footer()}
    </dialog>`;
  }

  #footer(): TemplateResult {
    const says = this.#plan && !this.#problem ? verdict(this.#plan) : null;
    const words = this.#sending ? 'Starting…' : this.#planning ? 'Planning…' : 'Roll deployment';
    return html`<footer>
      ${button('quiet', 'copy', 'Copy as curl', '', () => this.page.copy(this.#curl(), 'The command'))}
      ${button('quiet', 'copy', 'Copy as teal', '', () => this.page.copy(this.#teal(), 'The command'))}
      <span class="grow"></span>
      <span class="s soft verdict" role="status"
        >${says ? (says.bad ? html`<b class="badtext">${says.words}</b>` : says.words) : nothing}</span
      >
      <button class="b" type="button" @click=${() => this.close()}>Cancel</button>
      <button class="b primary roll" type="submit" form="f-deploy" aria-disabled=${this.#ready ? 'false' : 'true'}>
        ${words}
      </button>
    </footer>`;
  }

  get #ready(): boolean {
    return !this.#planning && !this.#sending && this.#plan?.canStart === true && !this.#problem;
  }

  #fix(fix: Partial<Body>): void {
    this.#body = { ...this.#body, ...fix };
    this.#replan();
  }

  readonly #submit = (event: SubmitEvent): void => {
    event.preventDefault();
    if (this.#ready) void this.#start();
  };

  async #start(): Promise<void> {
    this.#sending = true;
    this.#refusal = '';
    void this.update();
    try {
      const deployment = await send<Deployment>(this.#actOf());
      this.done(deployment);
      this.close();
    } catch (error) {
      const again = mayStillHappen(error);
      if (!again) this.#act = null;
      this.#refusal = `${(error as Error).message}.${again ? ' The next click sends the same again: it is started once.' : ''}`;
    } finally {
      this.#sending = false;
      void this.update();
    }
  }

  /** The same act for the same form: a second click sends it again, and starts nothing new. */
  #actOf(): Act {
    if (this.#act && JSON.stringify(this.#act.body) === JSON.stringify(this.#body)) return this.#act;
    const { groupId } = this.wanted;
    return (this.#act = newAct(`Deployment to ${groupId}`, 'POST', `groups/${groupId}/deployments`, this.#body));
  }

  #teal(): string {
    return tealDeploy(location.origin, this.wanted.groupId, this.#body);
  }

  #curl(): string {
    const url = address(`groups/${this.wanted.groupId}/deployments`);
    const body = JSON.stringify(this.#body).replaceAll("'", "'\\''");
    return `curl -X POST -H "x-functions-key: $KEY" -H 'content-type: application/json' ${url} -d '${body}'`;
  }
}

function about(group: Group): TemplateResult {
  const { state } = group;
  if (!state?.capacity) return html`${label(group.scaleSetId)}`;
  const where = [state.orchestrationMode, state.location].filter(Boolean).join(', ');
  return html`${counted(state.capacity, 'VM')}, the model has ${version(state.image ?? 'no image')}; ${where}`;
}

customElements.define('teal-deploy', Deploy);
