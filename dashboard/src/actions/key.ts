/** Asks for a function key, where the app wants one. It is kept for this tab only. */
import { html, nothing, type TemplateResult } from 'lit-html';
import { key } from '../api/client';
import { note } from '../parts/marks';
import { Modal } from './modal';

class AskKey extends Modal {
  done: () => void = () => undefined;

  protected override render(): TemplateResult {
    const wrong = key.get() !== '';
    return html`<dialog class="ask" aria-labelledby="h-key" @close=${this.onClose}>
      <form @submit=${this.#submit}>
        <div class="body">
          <h2 id="h-key">Which key opens this app?</h2>
          <p class="s soft">
            The key of your role, or a host key: who set up Teal hands it out. It is kept in this tab, and gone when the
            tab is closed.
          </p>
          ${wrong
            ? html`<div role="alert">${note('bad', 'lock', html`<p>This key does not open the app.</p>`)}</div>`
            : nothing}
          <div class="f">
            <label for="k-key">Key</label>
            <input id="k-key" name="key" type="password" autocomplete="off" required autofocus />
          </div>
        </div>
        <footer>
          <button class="b" type="button" @click=${() => this.close()}>Not now</button>
          <button class="b primary" type="submit">Open</button>
        </footer>
      </form>
    </dialog>`;
  }

  readonly #submit = (event: SubmitEvent): void => {
    event.preventDefault();
    key.set(String(new FormData(event.target as HTMLFormElement).get('key') ?? '').trim());
    this.done();
    this.close();
  };
}

customElements.define('teal-key', AskKey);
