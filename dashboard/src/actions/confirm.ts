/** A command, confirmed with what will happen. */
import { html, nothing, type TemplateResult } from 'lit-html';
import { mayStillHappen, newAct, send, type Act } from '../api/acts';
import { serverNow } from '../api/time';
import type { CommandKind, Deployment } from '../api/types';
import { question } from '../model/question';
import type { Drawn } from '../model/story';
import { icon, note } from '../parts/marks';
import { Modal } from './modal';

class Confirm extends Modal {
  command!: CommandKind | 'takeBack';
  deployment!: Deployment;
  known: Drawn | null = null;
  /** Told when the command was accepted. */
  done: () => void = () => undefined;
  #sending = false;
  #problem = '';
  #act: Act | null = null;

  protected override render(): TemplateResult {
    const asks = question(this.command, this.deployment, this.known, serverNow());
    return html`<dialog class="ask" aria-labelledby="h-ask" @close=${this.onClose}>
      <form @submit=${this.#submit}>
        <div class="body">
          <h2 id="h-ask">${asks.title}</h2>
          <ul class="will">
            ${asks.will.map((one) => html`<li>${icon(one.icon)}<span>${one.text}</span></li>`)}
          </ul>
          ${this.command === 'approve'
            ? html`<label class="side s"><input type="checkbox" name="all" />Approve all gates that follow, too</label>`
            : nothing}
          ${this.command === 'takeBack' ? nothing : comment()}
          ${this.#problem
            ? html`<div role="alert">${note('bad', 'cross', html`<p>${this.#problem}</p>`)}</div>`
            : nothing}
        </div>
        <footer>
          <button class="b" type="button" @click=${() => this.close()}>${asks.no}</button>
          <button class="b ${asks.tone}" type="submit" aria-disabled=${this.#sending ? 'true' : 'false'} autofocus>
            ${this.#sending ? 'Sending…' : asks.yes}
          </button>
        </footer>
      </form>
    </dialog>`;
  }

  readonly #submit = (event: SubmitEvent): void => {
    event.preventDefault();
    if (!this.#sending) void this.#send(new FormData(event.target as HTMLFormElement));
  };

  async #send(form: FormData): Promise<void> {
    this.#sending = true;
    this.#problem = '';
    void this.update();
    try {
      await send(this.#actOf(form));
      this.done();
      this.close();
    } catch (error) {
      const again = mayStillHappen(error) ? ' It is sent again with the next click, and done once.' : '';
      if (!again) this.#act = null;
      this.#problem = `${(error as Error).message}.${again}`;
    } finally {
      this.#sending = false;
      void this.update();
    }
  }

  /** The same act for the same words: a second click sends it again, and asks for nothing new. */
  #actOf(form: FormData): Act {
    const { id, groupId } = this.deployment;
    if (this.command === 'takeBack')
      return (this.#act ??= newAct('Take back', 'DELETE', `groups/${groupId}/queue/${id}`));
    const said = String(form.get('comment') ?? '').trim();
    const body = { ...(said ? { comment: said } : {}), ...(form.get('all') ? { all: true } : {}) };
    const path = `deployments/${id}/${this.command}`;
    if (this.#act && JSON.stringify(this.#act.body) === JSON.stringify(body)) return this.#act;
    return (this.#act = newAct(question(this.command, this.deployment, null, 0).yes, 'POST', path, body));
  }
}

const comment = (): TemplateResult =>
  html`<div class="f">
    <label for="a-com">Comment <span class="mute light">for whoever looks later</span></label>
    <input id="a-com" name="comment" maxlength="256" autocomplete="off" />
  </div>`;

customElements.define('teal-confirm', Confirm);
