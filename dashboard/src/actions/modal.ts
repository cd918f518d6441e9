/** A dialog: it opens when it is in the document, sends what it asks for once, and says when it is closed. */
import { html, nothing, type TemplateResult } from 'lit-html';
import { mayStillHappen, newAct, send, type Act } from '../api/acts';
import { note, type Content } from '../parts/marks';
import { View } from '../parts/view';

export abstract class Modal extends View {
  /** Told when it is closed, by whatever way. */
  closed: () => void = () => undefined;
  protected sending = false;
  #act: Act | null = null;
  /** Why what was sent last was not done. */
  #refusal = '';

  override connectedCallback(): void {
    void this.update().then(() => this.#dialog?.showModal());
  }

  get #dialog(): HTMLDialogElement | null {
    return this.querySelector('dialog');
  }

  protected readonly close = (): void => this.#dialog?.close();

  protected readonly onClose = (): void => this.closed();

  protected readonly onSubmit = (event: SubmitEvent): void => {
    event.preventDefault();
    if (!this.sending) this.submit(new FormData(event.target as HTMLFormElement));
  };

  protected abstract submit(form: FormData): void;

  /** A small dialog that asks one thing. */
  protected question(title: string, content: Content, no: string, yes: string, tone = 'primary'): TemplateResult {
    return html`<dialog class="ask" aria-labelledby="h-ask" @close=${this.onClose}>
      <form @submit=${this.onSubmit}>
        <div class="body">
          <h2 id="h-ask">${title}</h2>
          ${content}${this.refused()}
        </div>
        <footer>
          <button class="b" type="button" @click=${this.close}>${no}</button>
          <button class="b ${tone}" type="submit" aria-disabled=${this.sending} autofocus>
            ${this.sending ? 'Sending…' : yes}
          </button>
        </footer>
      </form>
    </dialog>`;
  }

  /** Send an act. The same words are the same act: a second click sends it again, and asks for nothing new. */
  protected async carryOut<T>(
    done: (answer: T) => void,
    what: string,
    method: Act['method'],
    path: string,
    body?: unknown,
  ): Promise<void> {
    const act = newAct(what, method, path, body);
    if (JSON.stringify({ ...act, key: this.#act?.key }) !== JSON.stringify(this.#act)) this.#act = act;
    this.sending = true;
    this.#refusal = '';
    void this.update();
    try {
      done(await send<T>(this.#act ?? act));
      this.close();
    } catch (error) {
      const again = mayStillHappen(error);
      if (!again) this.#act = null;
      this.#refusal = `${(error as Error).message}.${again ? ' The next click sends the same again: it is done once.' : ''}`;
    }
    this.sending = false;
    void this.update();
  }

  protected refused(): TemplateResult | typeof nothing {
    return this.#refusal ? alert('cross', html`<b>Not done.</b> ${this.#refusal}`) : nothing;
  }
}

/** What a screen reader says at once. */
export const alert = (sign: string, words: Content): TemplateResult =>
  html`<div role="alert">${note('bad', sign, html`<p>${words}</p>`)}</div>`;
