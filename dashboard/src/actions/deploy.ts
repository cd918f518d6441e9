/** The dialog: what to deploy and how, with the dry run's plan beside it. */
import { html, nothing, type TemplateResult } from 'lit-html';
import { address, ApiError, ask } from '../api/client';
import type { Deployment, Group, ImageVersion, Listed, Plan } from '../api/types';
import { beginning, chosen, type Body, type Known } from '../model/form';
import { label } from '../model/images';
import { verdict } from '../model/plan';
import { tealDeploy } from '../model/teal';
import { counted } from '../model/words';
import type { Page, Wanted } from '../page';
import { button } from '../parts/commands';
import { icon, version } from '../parts/marks';
import { fields, type Setter } from './fields';
import { Modal } from './modal';
import { planView } from './plan-view';

const SETTLED = 400;

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
  /** Why there is no plan. */
  #problem: Error | null = null;
  #timer = 0;
  #asked: AbortController | null = null;

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

  readonly #set: Setter = (changes) => {
    this.#body = { ...this.#body, ...changes };
    this.#planning = true;
    // What was asked before says nothing of what the form says now.
    this.#asked?.abort();
    void this.update();
    window.clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => void this.#ask(), SETTLED);
  };

  /** Ask for the plan of what the form says now. */
  async #ask(): Promise<void> {
    this.#asked?.abort();
    const asked = (this.#asked = new AbortController());
    try {
      const path = `${deployments(this.wanted.groupId)}?dryRun=true`;
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
    const [known, plan, body, set] = [this.#known, this.#plan, this.#body, this.#set];
    return html`<dialog class="dlg" aria-labelledby="h-dep" @close=${this.onClose}>
      <header>
        <h1 id="h-dep">${retryOf ? 'Retry on' : 'Deploy to'} ${groupId}</h1>
        <span class="soft s">${known ? about(known.group) : nothing}</span><span class="grow"></span>
        <button class="b quiet icon" type="button" aria-label="Close" @click=${this.close}>${icon('x')}</button>
      </header>
      <div class="two">
        <form class="form" @submit=${this.onSubmit} id="f-deploy">
          ${known
            ? fields({ known, body, plan, versions: this.#versions, set })
            : html`<p class="mute">Loading the group…</p>`}
        </form>
        <div
          class="plan ${this.#planning ? 'stale' : ''}"
          role="region"
          aria-label="What will happen"
          aria-busy=${this.#planning}
          tabindex="0"
        >
          ${this.refused()}${planView(plan, this.#problem, body, known, set)}
        </div>
      </div>
      ${this.#footer()}
    </dialog>`;
  }

  #footer(): TemplateResult {
    const copy = (what: string, command: () => string): TemplateResult =>
      button('quiet', 'copy', `Copy as ${what}`, '', () => this.page.copy(command(), 'The command'));
    const says = this.#plan && !this.#problem ? verdict(this.#plan) : '';
    const words = this.sending ? 'Starting…' : this.#planning ? 'Planning…' : 'Roll deployment';
    return html`<footer>
      ${copy('curl', () => this.#curl())}
      ${copy('teal', () => tealDeploy(location.origin, this.wanted.groupId, this.#body))}
      <span class="grow"></span>
      <span class="soft s" role="status">${this.#plan?.canStart ? says : html`<b class="badtext">${says}</b>`}</span>
      <button class="b" type="button" @click=${this.close}>Cancel</button>
      <button class="b primary roll" type="submit" form="f-deploy" aria-disabled=${!this.#ready}>${words}</button>
    </footer>`;
  }

  get #ready(): boolean {
    return !this.#planning && !this.sending && this.#plan?.canStart === true && !this.#problem;
  }

  protected override submit(): void {
    const { groupId } = this.wanted;
    if (this.#ready)
      void this.carryOut(this.done, `Deployment to ${groupId}`, 'POST', deployments(groupId), this.#body);
  }

  #curl(): string {
    const body = JSON.stringify(this.#body).replaceAll("'", "'\\''");
    const url = address(deployments(this.wanted.groupId));
    return `curl -X POST -H "x-functions-key: $KEY" -H 'content-type: application/json' ${url} -d '${body}'`;
  }
}

const deployments = (group: string): string => `groups/${group}/deployments`;

function about(group: Group): TemplateResult {
  const { state } = group;
  if (!state?.capacity) return html`${label(group.scaleSetId)}`;
  const where = [state.orchestrationMode, state.location].filter(Boolean).join(', ');
  return html`${counted(state.capacity, 'VM')}, the model has ${version(state.image ?? 'no image')}; ${where}`;
}

customElements.define('teal-deploy', Deploy);
