/** Asks for a function key, where the app wants one. It is kept for this tab only. */
import { html, nothing, type TemplateResult } from 'lit-html';
import { key } from '../api/client';
import { field } from '../parts/fields';
import { alert, Modal } from './modal';

class AskKey extends Modal {
  done: () => void = () => undefined;

  protected override render(): TemplateResult {
    const input = html`<input id="k-key" name="key" type="password" autocomplete="off" required autofocus />`;
    return this.question(
      'Which key opens this app?',
      html`<p class="s soft">
          The key of your role, or a host key: who set up Teal hands it out. It is kept in this tab, and gone when the
          tab is closed.
        </p>
        ${key.get() ? alert('lock', 'This key does not open the app.') : nothing}${field('k-key', 'Key', input)}`,
      'Not now',
      'Open',
    );
  }

  protected override submit(form: FormData): void {
    key.set(String(form.get('key')).trim());
    this.done();
    this.close();
  }
}

customElements.define('teal-key', AskKey);
